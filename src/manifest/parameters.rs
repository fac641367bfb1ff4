//! Types that are not said, and `$parameters` that are handed down.
//!
//! A component's parameters become fields of it and of every typed component
//! below, wherever such a field is missing or falsy. The rules are those of the
//! reference, to the order of keys; what does not change is shared.

use super::MAX_DEPTH;
use super::finding::{Finding, Findings};
use super::node::{Key, Node, NodeMap, NodeValue};
use super::path::Path;
use super::types::default_type;

const PARAMETERS: &str = "$parameters";

/// How much may be handed down: components in parameters receive each other, so
/// that a short text can ask for more than any memory holds. The largest known
/// manifests need some thousands.
const MAX_STEPS: usize = 1_000_000;

/// Hands down types and parameters from the root of a manifest, or of a stream
/// that was made out of a template: then `parent_wins` says whether parameters
/// from above count more than a component's own.
pub fn propagate(root: &Node, parent_wins: bool, findings: &mut Findings) -> Node {
    let mut propagation = Propagation { parent_wins, findings, depth: 0, n_steps_left: MAX_STEPS };
    propagation.component(root, None, &NodeMap::default(), &Path::ROOT)
}

/// The field that a component stands in, with the type of what has the field.
type Slot<'a> = Option<(&'a str, &'a str)>;

struct Propagation<'f> {
    parent_wins: bool,
    findings: &'f mut Findings,
    depth: usize,
    /// How many components may still be visited, and parameters handed to them.
    n_steps_left: usize,
}

impl Propagation<'_> {
    fn component(
        &mut self,
        node: &Node,
        slot: Slot<'_>,
        inherited: &NodeMap,
        path: &Path<'_>,
    ) -> Node {
        let Some(map) = node.as_map() else { return node.clone() };
        self.n_steps_left = self.n_steps_left.saturating_sub(1 + inherited.len());
        if self.depth >= MAX_DEPTH || self.n_steps_left == 0 {
            self.report_too_large(node, path);
            return node.clone();
        }
        self.depth += 1;
        let fields = self.fields(map, slot, inherited, path);
        self.depth -= 1;
        match fields {
            Some(fields) => Node::new(NodeValue::Map(fields), node.span()),
            None => node.clone(),
        }
    }

    /// The fields of a mapping; nothing if they stay as they are.
    fn fields(
        &mut self,
        map: &NodeMap,
        slot: Slot<'_>,
        inherited: &NodeMap,
        path: &Path<'_>,
    ) -> Option<NodeMap> {
        let mut fields = map.clone();
        if !map.contains("type")
            && let Some((parent, field)) = slot
            && let Some(name) = default_type(parent, field, map.contains("class_name"))
        {
            fields.insert(Key::new("type", None), name.into());
        }
        let own = fields.remove(PARAMETERS);
        let mut parameters = self.overlay(own.as_ref(), inherited, path);
        match fields.get("type").map(Node::value) {
            // A JSON schema: its `type` is `object`, a union, or the property `type`.
            Some(NodeValue::Str(name)) if **name == *"object" => {}
            Some(NodeValue::Seq(_) | NodeValue::Map(_)) => {}
            Some(_) => self.typed(map, &mut fields, &mut parameters, path),
            None => self.untyped(&mut fields, slot, &parameters, path),
        }
        (!fields.is_same(map)).then_some(fields)
    }

    /// The parameters of a component: its own with those from above.
    fn overlay(&mut self, own: Option<&Node>, inherited: &NodeMap, path: &Path<'_>) -> NodeMap {
        let Some(own) = own else { return inherited.clone() };
        let Some(own_map) = own.as_map() else {
            let message =
                format!("`{PARAMETERS}` must be a mapping, and this is {}", own.kind_name());
            let finding = Finding::error("parameters/not-a-mapping", message);
            self.findings.push(finding.at(&path.key(PARAMETERS), own));
            return inherited.clone();
        };
        let (below, above) =
            if self.parent_wins { (own_map, inherited) } else { (inherited, own_map) };
        if below.is_empty() {
            return above.clone();
        }
        let mut parameters = below.clone();
        for (key, value) in above.iter() {
            parameters.insert(key.clone(), value.clone());
        }
        parameters
    }

    /// A mapping without a type hands parameters down only if it has a typed
    /// mapping right below, and only to those.
    fn untyped(
        &mut self,
        fields: &mut NodeMap,
        slot: Slot<'_>,
        parameters: &NodeMap,
        path: &Path<'_>,
    ) {
        for (key, value) in fields.clone().iter() {
            if value.get("type").is_some_and(Node::is_truthy) {
                let child = self.component(value, slot, parameters, &path.key(&key.name()));
                replace(fields, key, value, child);
            }
        }
    }

    fn typed(
        &mut self,
        written: &NodeMap,
        fields: &mut NodeMap,
        parameters: &mut NodeMap,
        path: &Path<'_>,
    ) {
        for (key, value) in parameters.iter() {
            if !fields.get_key(key).is_some_and(Node::is_truthy) {
                fields.insert(key.clone(), value.clone());
            }
        }
        let snapshot = fields.clone();
        let type_name = snapshot.get("type").and_then(Node::as_str);
        for (key, value) in snapshot.iter() {
            if value.address().is_none() {
                continue;
            }
            // The parameter of the same name is not for what is below: it would
            // be handed down into itself for ever.
            let mut excluded =
                parameters.get_key_entry(key).map(|(key, value)| (key.clone(), value.clone()));
            parameters.remove_key(key);
            let slot = type_name.zip(key.as_str());
            let name = key.name();
            let path = path.key(&name);
            let child = match value.as_seq() {
                Some(items) => self.items(items, value, slot, parameters, &path),
                None => self.component(value, slot, parameters, &path),
            };
            // The reference changes lists in place, so a list that came from
            // the parameters is changed there too.
            let is_inherited = !written.get_key(key).is_some_and(Node::is_truthy);
            if value.as_seq().is_some() && is_inherited && excluded.is_some() {
                excluded = excluded.map(|(key, _)| (key, child.clone()));
            }
            if let Some((key, excluded)) = excluded.filter(|(_, value)| value.is_truthy()) {
                parameters.insert(key, excluded);
            }
            replace(fields, key, value, child);
        }
        if !parameters.is_empty() {
            let parameters = Node::from(NodeValue::Map(parameters.clone()));
            fields.insert(Key::new(PARAMETERS, None), parameters);
        }
    }

    /// The mappings right in a list are components; lists of lists stay as they are.
    fn items(
        &mut self,
        items: &[Node],
        node: &Node,
        slot: Slot<'_>,
        parameters: &NodeMap,
        path: &Path<'_>,
    ) -> Node {
        let mut changed: Option<Vec<Node>> = None;
        for (index, item) in items.iter().enumerate() {
            let child = self.component(item, slot, parameters, &path.index(index));
            if item.as_map().is_some() && !child.is_same(item) {
                changed.get_or_insert_with(|| items.to_vec())[index] = child;
            }
        }
        match changed {
            Some(items) => Node::new(NodeValue::Seq(items.into()), node.span()),
            None => node.clone(),
        }
    }

    fn report_too_large(&mut self, node: &Node, path: &Path<'_>) {
        let code = "parameters/too-large";
        if !self.findings.iter().any(|finding| finding.code == code) {
            let finding = Finding::error(code, "the parameters are handed down without an end");
            let help = "do not hand down components in `$parameters`";
            self.findings.push(finding.at(path, node).help(help));
        }
    }
}

fn replace(fields: &mut NodeMap, key: &Key, old: &Node, new: Node) {
    if !new.is_same(old) {
        fields.insert(key.clone(), new);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Source, parse};
    use super::*;

    /// `expect` is the manifest with all that was handed down, as JSON.
    #[track_caller]
    fn check_with(text: &str, parent_wins: bool, expect: &str) {
        let mut findings = Findings::default();
        let root = parse(&Source::new("test.yaml", text), &mut findings).unwrap();
        let propagated = propagate(&root, parent_wins, &mut findings);
        assert_eq!(findings, Findings::default());
        assert_eq!(propagated.to_json().to_string(), expect);
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        check_with(text, false, expect);
    }

    #[test]
    fn types_are_inferred_from_the_field() {
        check("type: RecordSelector\nextractor: {field_path: []}", {
            r#"{"type":"RecordSelector","extractor":{"field_path":[],"type":"DpathExtractor"}}"#
        });
        check("type: HttpRequester\nauthenticator: {class_name: a.B}", {
            r#"{"type":"HttpRequester","authenticator":{"class_name":"a.B","type":"CustomAuthenticator"}}"#
        });
        check("type: HttpRequester\nauthenticator: {token: x}", {
            r#"{"type":"HttpRequester","authenticator":{"token":"x"}}"#
        });
        check("type: AddFields\nfields: [{path: [a]}, x, [{path: [b]}]]", {
            r#"{"type":"AddFields","fields":[{"path":["a"],"type":"AddedFieldDefinition"},"x",[{"path":["b"]}]]}"#
        });
    }

    #[test]
    fn parameters_become_fields_that_are_missing_or_falsy() {
        check("type: A\na: 0\nb: x\nc: []\n$parameters: {a: 2, b: y, c: [z], d: null}", {
            r#"{"type":"A","a":2,"b":"x","c":["z"],"d":null,"$parameters":{"a":2,"b":"y","d":null,"c":["z"]}}"#
        });
    }

    #[test]
    fn parameters_reach_typed_components_below() {
        check(
            "type: A\n$parameters: {p: 1}\nb: {type: B, c: {d: {type: D}}, e: {x: [{type: E}]}}",
            {
                r#"{"type":"A","b":{"type":"B","c":{"d":{"type":"D","p":1,"$parameters":{"p":1}}},"e":{"x":[{"type":"E"}]},"p":1,"$parameters":{"p":1}},"p":1,"$parameters":{"p":1}}"#
            },
        );
    }

    #[test]
    fn own_parameters_count_more_unless_the_parent_wins() {
        let text = "type: A\n$parameters: {p: 1}\nb: {type: B, $parameters: {q: 2, p: 3}}";
        check(text, {
            r#"{"type":"A","b":{"type":"B","p":3,"q":2,"$parameters":{"p":3,"q":2}},"p":1,"$parameters":{"p":1}}"#
        });
        check_with(text, true, {
            r#"{"type":"A","b":{"type":"B","q":2,"p":1,"$parameters":{"q":2,"p":1}},"p":1,"$parameters":{"p":1}}"#
        });
    }

    #[test]
    fn json_schemas_stay_as_they_are() {
        let schema = r#"{"type":["null","object"],"properties":{"a":{"type":"string"}}}"#;
        let properties = r#"{"type":{"type":"string"},"a":{"type":"string"}}"#;
        let object = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
        for schema in [schema, properties, object] {
            let text = format!(r#"{{"type":"A","schema":{schema},"$parameters":{{"p":1}}}}"#);
            let expect =
                format!(r#"{{"type":"A","schema":{schema},"p":1,"$parameters":{{"p":1}}}}"#);
            check(&text, &expect);
        }
        check(r#"{"type":"A","schema":{"type":"string"},"$parameters":{"p":1}}"#, {
            r#"{"type":"A","schema":{"type":"string","p":1,"$parameters":{"p":1}},"p":1,"$parameters":{"p":1}}"#
        });
    }

    #[test]
    fn a_parameter_is_not_handed_down_into_itself() {
        check("type: A\n$parameters: {b: {type: B}, p: 1}", {
            r#"{"type":"A","b":{"type":"B","p":1,"$parameters":{"p":1}},"p":1,"$parameters":{"p":1,"b":{"type":"B"}}}"#
        });
        check("type: A\n$parameters: {b: [{type: B}], p: 1}", {
            r#"{"type":"A","b":[{"type":"B","p":1,"$parameters":{"p":1}}],"p":1,"$parameters":{"p":1,"b":[{"type":"B","p":1,"$parameters":{"p":1}}]}}"#
        });
        check("type: A\nb: {type: B}\n$parameters: {b: '', p: 1}", {
            r#"{"type":"A","b":{"type":"B","p":1,"$parameters":{"p":1}},"p":1,"$parameters":{"p":1}}"#
        });
    }

    #[test]
    fn what_does_not_change_is_shared() {
        let text = "type: A\nb: {type: B, c: [{type: C}]}\nd: {x: {y: 1}}";
        let mut findings = Findings::default();
        let root = parse(&Source::new("test.yaml", text), &mut findings).unwrap();
        assert!(propagate(&root, false, &mut findings).is_same(&root));
    }

    #[test]
    fn what_cannot_be_handed_down_is_a_finding() {
        #[track_caller]
        fn check(text: &str, code: &str, path: &str) {
            let mut findings = Findings::default();
            let root = parse(&Source::new("test.yaml", text), &mut findings).unwrap();
            propagate(&root, false, &mut findings);
            let found: Vec<_> = findings.iter().map(|f| (f.code, f.path.as_str())).collect();
            assert_eq!(found, [(code, path)]);
        }
        let code = "parameters/not-a-mapping";
        check("type: A\nb: {type: B, $parameters: [x]}", code, "b.$parameters");
    }

    #[test]
    fn components_that_receive_each_other_come_to_an_end() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let components = names.map(|name| format!("{name}: {{type: A}}")).join(", ");
        let text = format!("type: A\n$parameters: {{{components}}}");
        let mut findings = Findings::default();
        let root = parse(&Source::new("test.yaml", text), &mut findings).unwrap();
        let mut propagation = Propagation {
            parent_wins: false,
            findings: &mut findings,
            depth: 0,
            n_steps_left: 1000,
        };
        propagation.component(&root, None, &NodeMap::default(), &Path::ROOT);
        let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["parameters/too-large"]);
    }
}
