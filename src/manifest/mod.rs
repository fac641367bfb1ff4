//! A manifest as text, as a tree of located values, and with its references resolved.
//!
//! `yaml` reads the text, `references` and `parameters` make of it what the
//! components are built from. What is wrong on the way is collected as findings,
//! each with its place, and `render` shows them as a compiler does.

mod cache;
mod finding;
mod inside;
mod migrate;
mod node;
mod normalize;
mod parameters;
mod path;
mod references;
mod render;
mod source;
mod types;
mod yaml;

use crate::value::Json;

pub use cache::cache_parents;
pub use finding::{Edit, Finding, Findings, Severity, did_you_mean};
pub use migrate::{JoinUrl, Migrated, migrate, migrate_resolved};
pub use node::{Key, Node, NodeMap, NodeValue, Span, Timestamp};
pub use normalize::normalize;
pub use parameters::propagate;
pub use path::{Path, path_at};
pub use render::render;
pub use source::{ReadError, Source};
pub use types::default_type;
pub use yaml::{Layout, double_quoted, parse, quote, to_flow_yaml, to_yaml, to_yaml_at};

/// How deep lists and mappings may nest.
///
/// The reference ends with Python's recursion limit at a few hundred levels.
const MAX_DEPTH: usize = 256;

/// How many values a manifest may have when nothing is shared: aliases and
/// references can make exponentially many out of a short text.
const MAX_NODES: usize = 2_000_000;

/// A manifest that is ready to be built from, if its findings have no errors.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What was written; nothing if the manifest came as JSON.
    pub source: Option<Source>,
    /// The tree with references resolved, types inferred, and parameters handed
    /// down; an empty mapping if there was nothing to read.
    pub root: Node,
    pub findings: Findings,
}

impl Manifest {
    /// Reads the text of a manifest.
    pub fn from_yaml(source: Source) -> Self {
        let mut findings = Findings::default();
        let written = read(&source, &mut findings);
        let root = complete(written, &mut findings);
        Self { source: Some(source), root, findings }
    }

    /// Reads the text of a manifest, and gives what was written too: the tree with its
    /// references; nothing if that is no YAML.
    pub fn with_written(source: Source) -> (Self, Option<Node>) {
        let mut findings = Findings::default();
        let written = read(&source, &mut findings);
        let root = complete(written.clone(), &mut findings);
        (Self { source: Some(source), root, findings }, written)
    }

    /// Takes a manifest that came as JSON, in a config or from the Builder.
    pub fn from_json(json: &Json) -> Self {
        let mut findings = Findings::default();
        let written = Node::from_json(json, None);
        check_root(&written, "the manifest", &mut findings);
        let root = complete(Some(written), &mut findings);
        Self { source: None, root, findings }
    }
}

fn read(source: &Source, findings: &mut Findings) -> Option<Node> {
    let written = parse(source, findings)?;
    findings.locate(&written);
    check_root(&written, &source.name, findings);
    Some(written)
}

fn check_root(root: &Node, name: &str, findings: &mut Findings) {
    if root.is_null() {
        let message = format!("Manifest file at {name} is empty");
        findings.push(Finding::error("manifest/empty", message).at(&Path::ROOT, root));
    } else if root.as_map().is_none() {
        let message =
            format!("Manifest must be a dictionary, got <class '{}'>", root.python_type());
        findings.push(Finding::error("manifest/not-a-mapping", message).at(&Path::ROOT, root));
    }
}

/// What the components are built from, out of what was written.
fn complete(written: Option<Node>, findings: &mut Findings) -> Node {
    let (mut fields, span) = match written {
        Some(root) => (root.as_map().cloned().unwrap_or_default(), root.span()),
        None => (NodeMap::default(), None),
    };
    if !fields.contains("type") {
        fields.insert(Key::new("type", None), "DeclarativeSource".into());
    }
    let resolved = references::resolve(&Node::new(NodeValue::Map(fields), span), findings);
    propagate(&resolved, false, findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(manifest: &Manifest) -> Vec<&str> {
        manifest.findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_manifest_is_read_resolved_and_completed() {
        let text = "
definitions:
  stream: {retriever: {requester: '#/definitions/requester'}, $parameters: {path: /a}}
  requester: {url_base: x}
streams:
- $ref: '#/definitions/stream'
";
        let manifest = Manifest::from_yaml(Source::new("manifest.yaml", text));
        assert_eq!(codes(&manifest), [""; 0]);
        let requester = serde_json::json!({
            "url_base": "x", "type": "HttpRequester", "path": "/a", "$parameters": {"path": "/a"},
        });
        let json = manifest.root.to_json();
        assert_eq!(json["type"], "DeclarativeSource");
        assert_eq!(json.pointer("/streams/0/retriever/requester"), Some(&requester));
        let same = Manifest::from_json(&json);
        assert_eq!(same.root, manifest.root);
    }

    #[test]
    fn what_is_no_manifest_is_an_error() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            let manifest = Manifest::from_yaml(Source::new("m.yaml", text));
            assert_eq!(manifest.findings.first_error().unwrap().message, expect);
        }
        check("# nothing", "Manifest file at m.yaml is empty");
        check("- a", "Manifest must be a dictionary, got <class 'list'>");
        check("2021-01-01", "Manifest must be a dictionary, got <class 'datetime.date'>");
        check("a: [", "expected a value, found the end of the text");
    }

    #[test]
    fn findings_of_all_stages_are_kept_with_their_paths() {
        let text = "a: {b: 1, b: 2}\nc: '#/nope'\ntype: A\n$parameters: 5\n";
        let manifest = Manifest::from_yaml(Source::new("m.yaml", text));
        let paths: Vec<_> = manifest.findings.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["a.b", "c", "$parameters"]);
        let expect = ["yaml/duplicate-key", "reference/undefined", "parameters/not-a-mapping"];
        assert_eq!(codes(&manifest), expect);
    }
}
