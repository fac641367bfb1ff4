//! Which values are written elsewhere.

use crate::builder::edit::Step;
use crate::manifest::{Node, Span};

/// The paths of values that come by `$ref`, by an alias, or by `<<`.
pub(super) fn shared(root: &Node) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    walk(root, &mut Vec::new(), &mut found);
    found
}

fn walk(node: &Node, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if node.as_reference().is_some() || node.get("$ref").is_some_and(|it| it.as_str().is_some()) {
        found.push(path.clone());
    }
    let holder = node.span().unwrap_or_default();
    let is_inside = |span: Span| holder.start <= span.start && span.end <= holder.end;
    for (key, value) in node.fields() {
        if key.as_str() == Some("$ref") {
            continue;
        }
        let (key_span, span) = (key.span().unwrap_or_default(), value.span().unwrap_or_default());
        path.push(Step::Key(key.name().into_owned()));
        if is_inside(key_span) && is_inside(span) && key_span.end <= span.start {
            walk(value, path, found);
        } else {
            found.push(path.clone());
        }
        path.pop();
    }
    let mut end = holder.start;
    for (idx, item) in node.items().iter().enumerate() {
        let span = item.span().unwrap_or_default();
        path.push(Step::Index(idx));
        if is_inside(span) && end <= span.start {
            walk(item, path, found);
            end = span.end;
        } else {
            found.push(path.clone());
        }
        path.pop();
    }
}
