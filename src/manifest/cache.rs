//! Responses of parent streams are cached, for all of their children to read.

use std::collections::HashSet;

use super::node::{Key, Node, NodeMap, NodeValue};

/// The streams with `use_cache: true` on the requesters of all that are parents,
/// both where they stand themselves and where they are inlined in their children.
///
/// `all` are all streams of the source, of which `streams` are those to be built.
/// As in the reference, `use_cache: false` is left alone.
pub fn cache_parents(streams: &[Node], all: &[Node]) -> Vec<Node> {
    let mut parents = HashSet::new();
    for stream in streams.iter().chain(all) {
        collect_parents(stream, &mut parents);
    }
    streams
        .iter()
        .map(|stream| {
            let is_parent = stream
                .get("name")
                .and_then(Node::as_str)
                .is_some_and(|name| parents.contains(name));
            let stream = with_cached_parents(stream);
            if is_parent { cached(&stream) } else { stream }
        })
        .collect()
}

/// What a stream says of its parents: a cursor's parent stream, or else its partition router.
enum Parents<'m> {
    Cursor(&'m Node),
    Router(&'m Node),
    None,
}

fn parents_of(stream: &Node) -> Parents<'_> {
    let field = |node: &str, field: &str| {
        stream.get(node).and_then(|node| node.get(field)).filter(|field| field.is_truthy())
    };
    match (field("incremental_sync", "parent_stream"), field("retriever", "partition_router")) {
        (Some(parent), _) => Parents::Cursor(parent),
        (None, Some(router)) => Parents::Router(router),
        (None, None) => Parents::None,
    }
}

fn collect_parents<'m>(stream: &'m Node, names: &mut HashSet<&'m str>) {
    match parents_of(stream) {
        Parents::Cursor(parent) => names.extend(parent.get("name").and_then(Node::as_str)),
        Parents::Router(router) => collect_from_router(router, names),
        Parents::None => {}
    }
}

fn collect_from_router<'m>(router: &'m Node, names: &mut HashSet<&'m str>) {
    for router in router.as_seq().unwrap_or(std::slice::from_ref(router)) {
        for parent in items(router, "parent_stream_configs") {
            let name = parent.get("stream").and_then(|stream| stream.get("name"));
            names.extend(name.and_then(Node::as_str));
        }
        for router in items(router, "partition_routers") {
            collect_from_router(router, names);
        }
        if let Some(router) = router.get("underlying_partition_router") {
            collect_from_router(router, names);
        }
    }
}

fn items<'m>(node: &'m Node, field: &str) -> &'m [Node] {
    node.get(field).and_then(Node::as_seq).unwrap_or_default()
}

fn with_cached_parents(stream: &Node) -> Node {
    match parents_of(stream) {
        Parents::Cursor(_) => {
            change(stream, "incremental_sync", |cursor| change(cursor, "parent_stream", with_cache))
        }
        Parents::Router(_) => change(stream, "retriever", |retriever| {
            change(retriever, "partition_router", with_cached_router)
        }),
        Parents::None => stream.clone(),
    }
}

fn with_cached_router(router: &Node) -> Node {
    if router.as_seq().is_some() {
        return change_items(router, with_cached_router);
    }
    let router = change(router, "parent_stream_configs", |parents| {
        change_items(parents, |parent| change(parent, "stream", cached))
    });
    let router = change(&router, "partition_routers", with_cached_router);
    change(&router, "underlying_partition_router", with_cached_router)
}

/// A stream whose own responses are cached, in both of its forms if it has two.
fn cached(stream: &Node) -> Node {
    if stream.type_name() == Some("StateDelegatingStream") {
        let stream = change(stream, "full_refresh_stream", with_cache);
        return change(&stream, "incremental_stream", with_cache);
    }
    with_cache(stream)
}

/// Without a requester, as with an asynchronous retriever, there is nothing to cache.
fn with_cache(stream: &Node) -> Node {
    change(stream, "retriever", |retriever| {
        change(retriever, "requester", |requester| {
            if requester.get("use_cache").and_then(Node::as_bool) == Some(false) {
                return requester.clone();
            }
            change_map(requester, |fields| {
                fields.insert(Key::new("use_cache", None), NodeValue::Bool(true).into());
            })
        })
    })
}

fn change(node: &Node, field: &str, change: impl FnOnce(&Node) -> Node) -> Node {
    let Some((key, value)) = node.as_map().and_then(|map| map.get_entry(field)) else {
        return node.clone();
    };
    let value = change(value);
    change_map(node, |fields| {
        fields.insert(key.clone(), value);
    })
}

fn change_map(node: &Node, change: impl FnOnce(&mut NodeMap)) -> Node {
    let Some(map) = node.as_map() else { return node.clone() };
    let mut map = map.clone();
    change(&mut map);
    Node::new(NodeValue::Map(map), node.span())
}

fn change_items(node: &Node, change: impl Fn(&Node) -> Node) -> Node {
    let Some(items) = node.as_seq() else { return node.clone() };
    Node::new(NodeValue::Seq(items.iter().map(change).collect()), node.span())
}

#[cfg(test)]
mod tests {
    use super::super::{Findings, Source, parse};
    use super::*;

    const TEXT: &str = "
- &parent {type: DeclarativeStream, name: parent, retriever: {requester: {path: /p}}}
- &uncached {name: uncached, retriever: {requester: {use_cache: false}}}
- &async {name: async, retriever: {type: AsyncRetriever}}
- &both
  type: StateDelegatingStream
  name: both
  full_refresh_stream: {retriever: {requester: {}}}
  incremental_stream: {retriever: {requester: {}}}
- name: child
  retriever:
    requester: {path: /c}
    partition_router:
    - parent_stream_configs: [{stream: *parent}, {stream: *uncached}]
    - underlying_partition_router: {partition_routers: [{parent_stream_configs: [{stream: *both}, {stream: *async}]}]}
- name: fed
  incremental_sync: {parent_stream: *parent}
  retriever: {partition_router: {parent_stream_configs: [{stream: {name: child}}]}}
";

    /// `expect` is where `use_cache: true` was set.
    #[track_caller]
    fn check(names: &[&str], expect: &[&str]) {
        let root = parse(&Source::new("test.yaml", TEXT), &mut Findings::default()).unwrap();
        let all = root.as_seq().unwrap();
        let is_selected =
            |stream: &&Node| names.contains(&stream.get("name").unwrap().as_str().unwrap());
        let streams: Vec<_> = all.iter().filter(is_selected).cloned().collect();
        let json: Vec<_> = cache_parents(&streams, all).iter().map(Node::to_json).collect();
        let mut found = Vec::new();
        for (name, stream) in names.iter().zip(&json) {
            let pointers = [
                "/retriever",
                "/full_refresh_stream/retriever",
                "/incremental_stream/retriever",
                "/incremental_sync/parent_stream/retriever",
                "/retriever/partition_router/0/parent_stream_configs/0/stream/retriever",
                "/retriever/partition_router/0/parent_stream_configs/1/stream/retriever",
                "/retriever/partition_router/1/underlying_partition_router/partition_routers/0/parent_stream_configs/0/stream/full_refresh_stream/retriever",
                "/retriever/partition_router/parent_stream_configs/0/stream/retriever",
            ];
            for pointer in pointers {
                let is_cached = stream.pointer(&format!("{pointer}/requester/use_cache"));
                if is_cached == Some(&true.into()) {
                    found.push(format!("{name}{pointer}"));
                }
            }
        }
        assert_eq!(found, expect);
    }

    #[test]
    fn parents_are_cached_where_they_stand_and_in_their_children() {
        check(&["parent", "uncached", "async"], &["parent/retriever"]);
        check(
            &["both"],
            &["both/full_refresh_stream/retriever", "both/incremental_stream/retriever"],
        );
        check(
            &["child"],
            &[
                "child/retriever/partition_router/0/parent_stream_configs/0/stream/retriever",
                "child/retriever/partition_router/1/underlying_partition_router/partition_routers/0/parent_stream_configs/0/stream/full_refresh_stream/retriever",
            ],
        );
    }

    #[test]
    fn a_parent_of_the_cursor_comes_before_those_of_the_router() {
        check(&["fed"], &["fed/incremental_sync/parent_stream/retriever"]);
    }
}
