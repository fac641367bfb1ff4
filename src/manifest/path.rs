//! Where in a manifest's tree something is.

use std::fmt;

use super::node::Node;

/// A place in the tree, built on the stack while walking down, printed only when needed.
///
/// Prints as `streams[0].retriever`.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
    /// Some steps in one, printed already.
    Printed(&'a str),
}

impl<'a> Path<'a> {
    /// The whole manifest; prints as nothing.
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Key("") };

    /// A place whose path was printed before.
    pub(super) fn printed(path: &'a str) -> Self {
        match path {
            "" => Path::ROOT,
            _ => Self { parent: Some(&Path::ROOT), step: Step::Printed(path) },
        }
    }

    /// The field `name` of what is here.
    #[must_use]
    pub fn key(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(name) }
    }

    /// The item `index` of the list that is here.
    #[must_use]
    pub fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return Ok(()) };
        parent.fmt(f)?;
        let is_plain = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-$@".contains(c))
        };
        match self.step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Printed(path) => f.write_str(path),
            Step::Key(name) if !is_plain(name) => write!(f, "[{name:?}]"),
            Step::Key(name) if parent.parent.is_none() => f.write_str(name),
            Step::Key(name) => write!(f, ".{name}"),
        }
    }
}

/// The path to the innermost value, or key, that is written at a byte of the text.
///
/// `root` is the manifest as written: with references resolved, places are those
/// of the definitions.
pub fn path_at(root: &Node, offset: u32) -> String {
    innermost(root, offset, &Path::ROOT)
}

fn innermost(node: &Node, offset: u32, path: &Path<'_>) -> String {
    let is_at = |node: &Node| {
        node.span()
            .is_some_and(|span| span.start <= offset && offset < span.end.max(span.start + 1))
    };
    if let Some(map) = node.as_map() {
        for (key, value) in map.iter() {
            if is_at(key.node()) || is_at(value) {
                return innermost(value, offset, &path.key(&key.name()));
            }
        }
    }
    let mut items = node.as_seq().unwrap_or_default().iter().enumerate();
    match items.find(|(_, item)| is_at(item)) {
        Some((index, item)) => innermost(item, offset, &path.index(index)),
        None => path.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Findings, Source, parse};
    use super::*;

    #[test]
    fn paths_read_like_code() {
        let streams = Path::ROOT.key("streams");
        let stream = streams.index(3);
        let headers = stream.key("request_headers");
        assert_eq!(Path::ROOT.to_string(), "");
        assert_eq!(stream.to_string(), "streams[3]");
        assert_eq!(headers.key("$ref").to_string(), "streams[3].request_headers.$ref");
        assert_eq!(headers.key("a.b").to_string(), r#"streams[3].request_headers["a.b"]"#);
    }

    #[test]
    fn every_byte_of_a_text_is_somewhere() {
        #[track_caller]
        fn check(before: &str, expect: &str) {
            let text = "a:\n  b: [x, {c: y}]\n  d: z\n";
            let root = parse(&Source::new("test.yaml", text), &mut Findings::default()).unwrap();
            let offset = u32::try_from(text.find(before).unwrap()).unwrap();
            assert_eq!(path_at(&root, offset), expect);
        }
        check("a:", "a");
        check("b:", "a.b");
        check("x", "a.b[0]");
        check("c:", "a.b[1].c");
        check("y", "a.b[1].c");
        check(", {", "a.b");
        check("z", "a.d");
    }
}
