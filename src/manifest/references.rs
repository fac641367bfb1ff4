//! What `#/definitions/...` and `$ref` stand for.
//!
//! Any string that begins with `#/` is a reference, wherever it stands, and a
//! mapping with a `$ref` is its target with the other fields laid over it. As in
//! the reference implementation, places are looked up in the manifest as it was
//! written, so no path leads through another reference.
//!
//! What contains no reference is shared with the manifest as written, and what
//! is referred to is resolved once and shared by all who refer to it.

use std::collections::{HashMap, HashSet};

use super::finding::{Finding, Findings};
use super::node::{Key, Node, NodeMap, NodeValue, Span};
use super::path::Path;
use super::{MAX_DEPTH, MAX_NODES};

const REF: &str = "$ref";

/// Fields that hold values of the connector's config, where `#/` means nothing.
const CONFIG_VALUES: &str = "config_overrides";

/// Resolves all references of a manifest. Those that lead nowhere stay as they are.
pub(super) fn resolve(root: &Node, findings: &mut Findings) -> Node {
    let mut resolver = Resolver {
        root,
        findings,
        targets: HashMap::new(),
        resolved: HashMap::new(),
        chain: Vec::new(),
        reported: HashSet::new(),
        depth: 0,
        n_nodes: 0,
    };
    resolver.resolve(root, &Path::ROOT).changed.unwrap_or_else(|| root.clone())
}

struct Resolver<'m, 'f> {
    root: &'m Node,
    findings: &'f mut Findings,
    targets: HashMap<&'m str, Target>,
    /// Lists and mappings that are done, by their address in the manifest as written.
    resolved: HashMap<usize, Resolved>,
    /// The references that are being followed, each with its place.
    chain: Vec<(&'m str, Option<Span>)>,
    /// Paths of references with a finding: some places are walked over twice.
    reported: HashSet<String>,
    depth: usize,
    /// How many values there would be if nothing was shared.
    n_nodes: usize,
}

enum Target {
    /// It is in the chain.
    Pending,
    Resolved(Resolved),
    Undefined,
}

#[derive(Clone, Default)]
struct Resolved {
    /// Nothing if it is what was written.
    changed: Option<Node>,
    n_nodes: usize,
    height: usize,
}

impl<'m> Resolver<'m, '_> {
    fn resolve(&mut self, node: &'m Node, path: &Path<'_>) -> Resolved {
        let Some(address) = node.address() else {
            self.n_nodes = self.n_nodes.saturating_add(1);
            return match node.as_reference() {
                Some(reference) => self.follow(reference, node, path),
                None => Resolved { changed: None, n_nodes: 1, height: 1 },
            };
        };
        if let Some(resolved) = self.resolved.get(&address).cloned() {
            return self.reuse(resolved, node, path);
        }
        let n_nodes_before = self.n_nodes;
        self.n_nodes += 1;
        self.depth += 1;
        let (mut changed, mut height) = (None, 0);
        if self.is_within_bounds(0, node, path) {
            (changed, height) = match node.value() {
                NodeValue::Seq(items) => self.resolve_seq(items, node, path),
                NodeValue::Map(map) => self.resolve_map(map, node, path),
                _ => (None, 0),
            };
        }
        self.depth -= 1;
        let n_nodes = self.n_nodes - n_nodes_before;
        let resolved = Resolved { changed, n_nodes, height: height + 1 };
        self.resolved.insert(address, resolved.clone());
        resolved
    }

    fn resolve_seq(
        &mut self,
        items: &'m [Node],
        node: &'m Node,
        path: &Path<'_>,
    ) -> (Option<Node>, usize) {
        let mut height = 0;
        let mut changed: Option<Vec<Node>> = None;
        for (index, item) in items.iter().enumerate() {
            let resolved = self.resolve(item, &path.index(index));
            height = height.max(resolved.height);
            if let Some(item) = resolved.changed {
                changed.get_or_insert_with(|| items.to_vec())[index] = item;
            }
        }
        (changed.map(|items| Node::new(NodeValue::Seq(items.into()), node.span())), height)
    }

    fn resolve_map(
        &mut self,
        map: &'m NodeMap,
        node: &'m Node,
        path: &Path<'_>,
    ) -> (Option<Node>, usize) {
        let mut height = 0;
        let mut fields = map.clone();
        let mut is_changed = false;
        for (key, value) in map.iter() {
            if matches!(key.as_str(), Some(REF | CONFIG_VALUES)) {
                continue;
            }
            let resolved = self.resolve(value, &path.key(&key.name()));
            height = height.max(resolved.height);
            if let Some(value) = resolved.changed {
                fields.insert(key.clone(), value);
                is_changed = true;
            }
        }
        let Some(reference) = map.get(REF) else {
            return (is_changed.then(|| Node::new(NodeValue::Map(fields), node.span())), height);
        };
        let resolved = self.resolve(reference, &path.key(REF));
        let target = resolved.changed.unwrap_or_else(|| reference.clone());
        let height = height.max(resolved.height);
        fields.remove(REF);
        // Without fields of its own this is nothing but the target, at the target's place.
        let Some(merged) = target.as_map().filter(|_| !fields.is_empty()) else {
            return (Some(target), height);
        };
        let mut merged = merged.clone();
        for (key, value) in fields.iter() {
            merged.insert(key.clone(), value.clone());
        }
        (Some(Node::new(NodeValue::Map(merged), node.span())), height)
    }

    /// What a reference stands for; it stays as it is if it stands for nothing.
    fn follow(&mut self, reference: &'m str, node: &'m Node, path: &Path<'_>) -> Resolved {
        let unresolved = Resolved { changed: None, n_nodes: 1, height: 1 };
        match self.targets.get(reference) {
            Some(Target::Resolved(resolved)) => {
                let resolved = resolved.clone();
                return self.reuse(resolved, node, path);
            }
            Some(Target::Pending) => {
                let finding = self.circular(reference, node);
                self.report(finding, path);
                return unresolved;
            }
            Some(Target::Undefined) | None => {}
        }
        let target = match look_up(self.root, reference) {
            Ok(target) => target,
            Err(missing) => {
                self.targets.insert(reference, Target::Undefined);
                self.report(missing.finding(reference).at_span(node.span()), path);
                return unresolved;
            }
        };
        self.targets.insert(reference, Target::Pending);
        self.chain.push((reference, node.span()));
        self.depth += 1;
        let mut resolved = unresolved;
        if self.is_within_bounds(0, node, path) {
            resolved = self.resolve(target.node, &Path::printed(&target.path));
            resolved.changed.get_or_insert_with(|| target.node.clone());
        }
        self.depth -= 1;
        self.chain.pop();
        self.targets.insert(reference, Target::Resolved(resolved.clone()));
        resolved
    }

    /// Uses once more what was resolved already.
    fn reuse(&mut self, resolved: Resolved, node: &Node, path: &Path<'_>) -> Resolved {
        self.n_nodes = self.n_nodes.saturating_add(resolved.n_nodes);
        if self.is_within_bounds(resolved.height, node, path) {
            resolved
        } else {
            Resolved::default()
        }
    }

    /// Whether the manifest stays of a size that others can walk over; says it once if not.
    fn is_within_bounds(&mut self, height: usize, node: &Node, path: &Path<'_>) -> bool {
        let (code, what) = if self.n_nodes > MAX_NODES {
            ("reference/too-large", format!("make more than {MAX_NODES} values of this manifest"))
        } else if self.depth + height > MAX_DEPTH {
            ("reference/too-deep", format!("nest values deeper than {MAX_DEPTH} levels"))
        } else {
            return true;
        };
        if !self.findings.iter().any(|finding| finding.code == code) {
            let finding = Finding::error(code, format!("references {what}"));
            self.report(finding.at_span(node.span()), path);
        }
        false
    }

    fn circular(&self, reference: &str, node: &Node) -> Finding {
        let first = self.chain.iter().position(|(followed, _)| *followed == reference);
        let circle = &self.chain[first.unwrap_or(0)..];
        let names: Vec<_> = circle.iter().map(|(name, _)| *name).chain([reference]).collect();
        let finding =
            Finding::error("reference/circular", format!("Circular reference found: {reference}"));
        let finding = finding.at_span(node.span()).help(format!("it goes {}", names.join(" → ")));
        circle.iter().skip(1).fold(finding, |finding, (name, span)| {
            finding.relate(*span, format!("by way of `{name}`"))
        })
    }

    fn report(&mut self, finding: Finding, path: &Path<'_>) {
        let finding = finding.at_path(path);
        if self.reported.insert(finding.path.clone()) {
            self.findings.push(finding);
        }
    }
}

/// What a reference points to in the manifest as written.
struct Found<'m> {
    node: &'m Node,
    path: String,
}

/// Where a reference leads out of the manifest.
struct Missing<'m> {
    /// The last place that exists, and the part of the path that leads to it.
    node: &'m Node,
    parent: String,
    /// What is not there.
    step: &'m str,
}

/// Looks up a reference step by step. Keys may contain slashes, so at each step
/// the whole rest is tried as a key first.
fn look_up<'m>(root: &'m Node, reference: &'m str) -> Result<Found<'m>, Missing<'m>> {
    let mut node = root;
    let mut path = String::new();
    let mut walked = "#".to_owned();
    // As the pattern of the reference implementation, which ends at a line break.
    let mut rest = reference[2..].lines().next().unwrap_or("");
    while !rest.is_empty() {
        let (key, found, after) = if let Some(found) = node.get(rest) {
            (rest, Some(found), "")
        } else {
            let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
            (head, step(node, head), tail)
        };
        let Some(found) = found else { return Err(Missing { node, parent: walked, step: key }) };
        path = match (node.as_seq(), path.is_empty()) {
            (Some(_), _) => format!("{path}[{key}]"),
            (None, true) => Path::ROOT.key(key).to_string(),
            (None, false) => Path::printed(&path).key(key).to_string(),
        };
        walked = format!("{walked}/{key}");
        (node, rest) = (found, after);
    }
    Ok(Found { node, path })
}

/// One step down: what looks like an integer is one, for lists and for mappings.
fn step<'m>(node: &'m Node, head: &str) -> Option<&'m Node> {
    match (node.value(), python_int(head)) {
        (NodeValue::Map(map), Some(int)) => {
            map.get_key(&Key::from_node(NodeValue::Int(int).into())?)
        }
        (NodeValue::Map(map), None) => map.get(head),
        (NodeValue::Seq(items), Some(int)) => {
            let index = usize::try_from(int).ok();
            // Negative ones count from the end.
            let from_end = || items.len().checked_sub(usize::try_from(int.unsigned_abs()).ok()?);
            items.get(index.or_else(from_end)?)
        }
        _ => None,
    }
}

/// As Python's `int()`: blanks around it, a sign, and single underscores are fine.
fn python_int(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_int = digits
        .split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_int.then(|| text.replace('_', "").parse().ok()).flatten()
}

impl Missing<'_> {
    fn finding(&self, reference: &str) -> Finding {
        let path = &reference[2..];
        let message = format!("Undefined reference {reference} from {path}");
        let finding = Finding::error("reference/undefined", message);
        let Self { node, parent, step } = self;
        if let Some(target) = node.get(REF).or(Some(*node)).and_then(Node::as_reference) {
            return finding.help(format!(
                "`{parent}` is a reference itself, and no path leads through one: try `{target}/...`"
            ));
        }
        let Some(map) = node.as_map() else {
            return finding.help(format!("`{parent}` is {}", node.kind_name()));
        };
        match super::did_you_mean(step, map.iter().filter_map(|(key, _)| key.as_str())) {
            Some(name) => finding.help(format!("did you mean `{parent}/{name}`?")),
            None => finding.help(format!("`{parent}` has no `{step}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::super::{Source, parse};
    use super::*;

    fn resolve_text(text: &str) -> (Node, Findings) {
        let mut findings = Findings::default();
        let root = parse(&Source::new("test.yaml", text), &mut findings).unwrap();
        (resolve(&root, &mut findings), findings)
    }

    /// `expect` is the manifest without references, as JSON.
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let (root, findings) = resolve_text(text);
        assert_eq!(findings, Findings::default());
        assert_eq!(root.to_json().to_string(), expect);
    }

    #[test]
    fn a_string_stands_for_the_value_at_its_path() {
        check("a: [x, y, {k: 1}]\nb: '#/a/2/k'", r#"{"a":["x","y",{"k":1}],"b":1}"#);
        check("a: {b: 1}\nc: ['#/a']", r#"{"a":{"b":1},"c":[{"b":1}]}"#);
        check("a: '#/b'\nb: '#/c'\nc: 1", r#"{"a":1,"b":1,"c":1}"#);
        check("a: [1, 2]\nb: '#/a/-1'\nc: '#/a/0_1'", r#"{"a":[1,2],"b":2,"c":2}"#);
        check("a: '#foo'\nb: '# /x'", r##"{"a":"#foo","b":"# /x"}"##);
    }

    #[test]
    fn the_whole_rest_is_a_key_before_it_is_split() {
        check("n: {p: 1}\nn/p: 2\nv: '#/n/p'", r#"{"n":{"p":1},"n/p":2,"v":2}"#);
        check("n: {p/q: 3}\nv: '#/n/p/q'", r#"{"n":{"p/q":3},"v":3}"#);
        check("n: {1: {x: 4}, '2': 5}\nv: '#/n/1/x'\nw: '#/n/2'", {
            r#"{"n":{"1":{"x":4},"2":5},"v":4,"w":5}"#
        });
    }

    #[test]
    fn own_fields_lie_over_those_of_the_target() {
        check("a: {x: 1, y: {z: 2}}\nb: {n: 0, $ref: '#/a', y: 3}", {
            r#"{"a":{"x":1,"y":{"z":2}},"b":{"x":1,"y":3,"n":0}}"#
        });
        check("a: [1]\nb: {$ref: '#/a', z: 1}", r#"{"a":[1],"b":[1]}"#);
        check("b: {$ref: nope, z: 1}", r#"{"b":"nope"}"#);
        check("a: {$parameters: {p: 1}}\nb: {$ref: '#/a', $parameters: {q: 2}}", {
            r#"{"a":{"$parameters":{"p":1}},"b":{"$parameters":{"q":2}}}"#
        });
        check("b: {$ref: {x: 1}, y: 2}", r#"{"b":{"x":1,"y":2}}"#);
    }

    #[test]
    fn config_overrides_hold_no_references() {
        let text = "a: {config_overrides: {b: '#/nope', $ref: '#/x'}}";
        check(text, r##"{"a":{"config_overrides":{"b":"#/nope","$ref":"#/x"}}}"##);
    }

    #[track_caller]
    fn check_findings(text: &str, expect: &[(&str, u32, &str, &str)]) {
        let (_, findings) = resolve_text(text);
        let findings: Vec<_> = findings
            .iter()
            .map(|finding| {
                let line = finding.span.map_or(0, |span| span.line);
                let help = finding.help.as_deref().unwrap_or_default();
                (finding.path.as_str(), line, finding.message.as_str(), help)
            })
            .collect();
        assert_eq!(findings, expect);
    }

    #[test]
    fn references_that_lead_nowhere_are_all_told() {
        check_findings(
            "a: '#/definitions/nope'\nb: [{$ref: '#/a/x'}]\ndefinitions: {node: '#/definitions/nope'}\nc: '#/definitions/node'",
            &[
                (
                    "a",
                    1,
                    "Undefined reference #/definitions/nope from definitions/nope",
                    "did you mean `#/definitions/node`?",
                ),
                (
                    "b[0].$ref",
                    2,
                    "Undefined reference #/a/x from a/x",
                    "`#/a` is a reference itself, and no path leads through one: try `#/definitions/nope/...`",
                ),
                (
                    "definitions.node",
                    3,
                    "Undefined reference #/definitions/nope from definitions/nope",
                    "did you mean `#/definitions/node`?",
                ),
            ],
        );
        check_findings(
            "a: [1]\nb: '#/a/1'\nc: '#/a/x'",
            &[
                ("b", 2, "Undefined reference #/a/1 from a/1", "`#/a` is a list"),
                ("c", 3, "Undefined reference #/a/x from a/x", "`#/a` is a list"),
            ],
        );
    }

    #[test]
    fn circles_are_told_with_their_chain() {
        check_findings(
            "definitions:\n  a: '#/definitions/b'\n  b: {c: ['#/definitions/a']}",
            &[(
                "definitions.a",
                2,
                "Circular reference found: #/definitions/b",
                "it goes #/definitions/b → #/definitions/a → #/definitions/b",
            )],
        );
        check_findings(
            "a: {b: {$ref: '#/a'}}",
            &[("a.b.$ref", 1, "Circular reference found: #/a", "it goes #/a → #/a")],
        );
        check_findings("a: '#/'", &[("a", 1, "Circular reference found: #/", "it goes #/ → #/")]);
    }

    #[test]
    fn what_is_referred_to_is_shared() {
        let (root, _) =
            resolve_text("a: {x: [1], y: '#/b'}\nb: 1\nc: '#/a'\nd: {$ref: '#/a', z: 1}");
        let (a, d) = (root.get("a").unwrap(), root.get("d").unwrap());
        assert!(a.is_same(root.get("c").unwrap()));
        assert!(a.get("x").unwrap().is_same(d.get("x").unwrap()));
        assert_eq!(d.span().map(|span| span.line), Some(4));
    }

    #[test]
    fn nothing_grows_without_bound() {
        let mut wide = "d0: [1, 2]\n".to_owned();
        let mut deep = "d0: {x: 1}\n".to_owned();
        for level in 1..=300 {
            let below = level - 1;
            writeln!(wide, "d{level}: ['#/d{below}', '#/d{below}']").unwrap();
            writeln!(deep, "d{level}: {{x: '#/d{below}'}}").unwrap();
        }
        for (text, code) in [(wide, "reference/too-large"), (deep, "reference/too-deep")] {
            let (_, findings) = resolve_text(&text);
            assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [code]);
        }
    }
}
