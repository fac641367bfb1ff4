//! Which actions the error handler of a requester can ask for, as far as it is written.

use super::BuildError;
use crate::manifest::Node;

/// Asks for the page again with fewer records.
pub const REDUCE_PAGE_SIZE: &str = "REDUCE_PAGE_SIZE";
/// Asks for the window in halves.
pub const SPLIT_REQUEST_WINDOW: &str = "SPLIT_REQUEST_WINDOW";

/// Whether a response filter of the requester has an action; nobody knows what Python code does.
pub fn uses_action(requester: &Node, action: &str) -> bool {
    let is_written = requester.type_name() == Some("HttpRequester");
    requester
        .get("error_handler")
        .is_some_and(|handler| is_written && handler_uses(handler, action))
}

fn handler_uses(handler: &Node, action: &str) -> bool {
    let items = |key: &str| handler.get(key).and_then(Node::as_seq).unwrap_or_default();
    match handler.type_name() {
        Some("CompositeErrorHandler") => {
            items("error_handlers").iter().any(|handler| handler_uses(handler, action))
        }
        Some("DefaultErrorHandler") => items("response_filters")
            .iter()
            .any(|filter| filter.get("action").and_then(Node::as_str) == Some(action)),
        _ => false,
    }
}

/// Refuses actions that only the main requester of a `SimpleRetriever` can obey; `what` the
/// requester is, is said in the error.
pub fn refuse_paging_actions(requester: &Node, what: &str) -> Result<(), BuildError> {
    let reasons = [
        (REDUCE_PAGE_SIZE, "can re-issue its page with a smaller page size"),
        (SPLIT_REQUEST_WINDOW, "reads a window that can be split"),
    ];
    for (action, reason) in reasons {
        if uses_action(requester, action) {
            let message = format!(
                "The {action} response action is not supported on the {what}: only the main requester of a \
                 SimpleRetriever {reason}. Use a different action on that error handler."
            );
            return Err(BuildError::at(requester, message));
        }
    }
    Ok(())
}
