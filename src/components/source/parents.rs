//! Parent streams are asked once: their responses are kept for all who need them.

use std::collections::HashSet;

use crate::manifest::{Key, Node, NodeValue};

/// The streams of `selected`, with `use_cache` wherever a stream is a direct parent of one of `all`.
///
/// A stream that says `use_cache: false` keeps it: scrolling APIs give each page once.
pub(super) fn with_caches(selected: &[Node], all: &[Node]) -> Vec<Node> {
    let parents: HashSet<&str> = all
        .iter()
        .flat_map(|stream| parent_configs(stream.get("retriever").and_then(router)))
        .filter_map(|parent| parent.get("stream")?.get("name")?.as_str())
        .collect();
    let cached = |stream: &Node| {
        let stream = with_cached_parents(stream);
        match stream.get("name").and_then(Node::as_str) {
            Some(name) if parents.contains(name) => with_cached_requester(&stream),
            _ => stream,
        }
    };
    selected.iter().map(cached).collect()
}

fn router(retriever: &Node) -> Option<&Node> {
    retriever.get("partition_router")
}

/// The parents that a router has, or those of the routers in it.
fn parent_configs(router: Option<&Node>) -> Vec<&Node> {
    let mut parents = Vec::new();
    let mut routers: Vec<&Node> = router.into_iter().collect();
    while let Some(router) = routers.pop() {
        let items = |key: &str| router.get(key).and_then(Node::as_seq).unwrap_or_default();
        parents.extend(items("parent_stream_configs"));
        routers.extend(router.as_seq().unwrap_or_default());
        routers.extend(items("partition_routers"));
        routers.extend(router.get("underlying_partition_router"));
    }
    parents
}

fn with_cached_parents(stream: &Node) -> Node {
    edit(stream, "retriever", |retriever| edit(retriever, "partition_router", cached_router))
}

fn cached_router(router: &Node) -> Node {
    if router.as_seq().is_some() {
        return edit_items(router, cached_router);
    }
    let router = edit(router, "parent_stream_configs", |parents| {
        edit_items(parents, |parent| edit(parent, "stream", with_cached_requester))
    });
    let router = edit(&router, "partition_routers", |routers| edit_items(routers, cached_router));
    edit(&router, "underlying_partition_router", cached_router)
}

fn with_cached_requester(stream: &Node) -> Node {
    if stream.type_name() == Some("StateDelegatingStream") {
        let stream = edit(stream, "full_refresh_stream", with_cached_requester);
        return edit(&stream, "incremental_stream", with_cached_requester);
    }
    edit(stream, "retriever", |retriever| edit(retriever, "requester", cached_requester))
}

/// The same requester with `use_cache`, unless it says no.
pub(super) fn cached_requester(requester: &Node) -> Node {
    let NodeValue::Map(fields) = requester.value() else { return requester.clone() };
    if fields.get("use_cache").and_then(Node::as_bool) == Some(false) {
        return requester.clone();
    }
    let mut fields = fields.clone();
    fields.insert(Key::new("use_cache", None), NodeValue::Bool(true).into());
    Node::new(NodeValue::Map(fields), requester.span())
}

/// The same mapping with another value of a field, if it has that.
pub(super) fn edit(node: &Node, key: &str, change: impl FnOnce(&Node) -> Node) -> Node {
    let NodeValue::Map(fields) = node.value() else { return node.clone() };
    let Some((key, value)) = fields.get_entry(key) else { return node.clone() };
    let (key, value) = (key.clone(), change(value));
    let mut fields = fields.clone();
    fields.insert(key, value);
    Node::new(NodeValue::Map(fields), node.span())
}

fn edit_items(node: &Node, change: impl FnMut(&Node) -> Node) -> Node {
    let Some(items) = node.as_seq() else { return node.clone() };
    Node::new(NodeValue::Seq(items.iter().map(change).collect()), node.span())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::value::Json;

    fn stream(name: &str, router: &Json) -> Json {
        json!({"name": name, "retriever": {"requester": {"url": name}, "partition_router": router}})
    }

    fn child_of(parent: &Json) -> Json {
        json!({"parent_stream_configs": [{"stream": parent}]})
    }

    /// `expect` are the names of the requesters that keep responses, from the outside in.
    #[track_caller]
    fn check(streams: &[Json], expect: &[&[&str]]) {
        let nodes: Vec<_> = streams.iter().map(|it| Node::from_json(it, None)).collect();
        let cached: Vec<Vec<String>> = with_caches(&nodes, &nodes)
            .iter()
            .map(|stream| {
                let mut names = Vec::new();
                cached_names(&stream.to_json(), &mut names);
                names
            })
            .collect();
        assert_eq!(cached, expect);
    }

    fn cached_names(json: &Json, names: &mut Vec<String>) {
        if json["use_cache"] == true {
            names.push(json["url"].as_str().unwrap().to_owned());
        }
        let children: Vec<&Json> = match json {
            Json::Object(fields) => fields.values().collect(),
            Json::Array(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        for child in children {
            cached_names(child, names);
        }
    }

    #[test]
    fn direct_parents_are_cached_at_both_places() {
        let grandparent = stream("a", &json!(null));
        let parent = stream("b", &child_of(&grandparent));
        let child = stream("c", &child_of(&parent));
        check(
            &[grandparent.clone(), parent.clone(), child.clone()],
            &[&["a"], &["b", "a"], &["b"]],
        );
        check(&[child], &[&["b"]]);
    }

    #[test]
    fn parents_are_found_below_other_routers() {
        let parent = stream("p", &json!(null));
        let grouping = json!({"underlying_partition_router": child_of(&parent)});
        let union = json!({"partition_routers": [{"values": ["x"]}, child_of(&parent)]});
        check(&[stream("c", &grouping)], &[&["p"]]);
        check(&[stream("c", &union)], &[&["p"]]);
        check(&[stream("c", &json!([child_of(&parent), union]))], &[&["p", "p"]]);
    }

    #[test]
    fn a_requester_may_refuse() {
        let mut parent = stream("p", &json!(null));
        parent["retriever"]["requester"]["use_cache"] = json!(false);
        check(&[stream("c", &child_of(&parent)), parent], &[&[], &[]]);
    }

    #[test]
    fn both_variants_of_a_delegating_stream_are_cached() {
        let parent = json!({"name": "p", "type": "StateDelegatingStream",
            "full_refresh_stream": stream("f", &json!(null)), "incremental_stream": stream("i", &json!(null))});
        check(&[stream("c", &child_of(&parent)), parent], &[&["f", "i"], &["f", "i"]]);
    }
}
