//! The message that an API gives in the body of an error.

use std::borrow::Cow;

use super::response::Response;
use crate::value::{Json, is_truthy};

/// Where APIs put their messages, in the order in which they are tried.
const KEYS: [&str; 12] = [
    "message",
    "messages",
    "error",
    "errors",
    "failures",
    "failure",
    "detail",
    "err",
    "error_message",
    "msg",
    "reason",
    "status_message",
];

/// The API's own message in the JSON of a response, or the text of one that is not JSON.
pub fn error_message(response: &Response) -> Option<Cow<'_, str>> {
    match response.json() {
        Some(json) => message_in(json),
        None => std::str::from_utf8(response.bytes()).ok().map(Cow::Borrowed),
    }
}

fn message_in(json: &Json) -> Option<Cow<'_, str>> {
    match json {
        Json::String(text) => Some(Cow::Borrowed(text)),
        Json::Array(items) => {
            let messages: Vec<_> = items.iter().filter_map(message_in).collect();
            Some(Cow::Owned(messages.join(", ")))
        }
        Json::Object(map) => {
            let mut values = KEYS.iter().filter_map(|key| map.get(*key));
            match values.find(|value| is_truthy(value)) {
                Some(value) => message_in(value),
                // Of empty values the last one is the answer.
                None => map.get("status_message").and_then(message_in),
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(json: &Json, expect: Option<&str>) {
        assert_eq!(message_in(json).as_deref(), expect);
    }

    #[test]
    fn the_first_key_that_says_something_counts() {
        check(&json!({"error": "", "msg": "m", "detail": null}), Some("m"));
        check(&json!({"error": {"errors": [{"message": "a"}, "b", 5]}}), Some("a, b"));
        check(&json!({"message": 5, "error": "e"}), None);
    }

    #[test]
    fn an_error_may_say_nothing() {
        check(&json!({"other": "x"}), None);
        check(&json!({"status_message": ""}), Some(""));
        check(&json!([1]), Some(""));
        check(&json!(null), None);
    }
}
