//! What a manifest has: streams, inputs, and the address of its API.

use serde::Serialize;

use crate::builder::edit::Step;
use crate::manifest::Node;

/// What a manifest has, by its resolved tree.
#[derive(Debug, Serialize)]
pub struct Outline {
    streams: Vec<Stream>,
    dynamic_streams: Vec<DynamicStream>,
    inputs: Vec<Input>,
    base_url: Option<String>,
}

#[derive(Debug, Serialize)]
struct Stream {
    name: String,
    index: usize,
    kind: &'static str,
    path: Vec<Step>,
    retriever: Option<String>,
}

#[derive(Debug, Serialize)]
struct DynamicStream {
    name: String,
    index: usize,
    path: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Input {
    name: String,
    path: Vec<Step>,
    #[serde(rename = "type")]
    kind: Option<String>,
    secret: bool,
    required: bool,
    title: Option<String>,
    order: Option<i64>,
}

impl Outline {
    /// Outlines a manifest.
    pub fn of(root: &Node) -> Self {
        let streams = items(root, "streams");
        let base_url = streams.iter().find_map(|stream| {
            let requester = stream.get("retriever")?.get("requester")?;
            requester.get("url_base").or_else(|| requester.get("url"))?.as_str()
        });
        let dynamic = items(root, "dynamic_streams").iter().enumerate();
        Self {
            base_url: base_url.map(str::to_owned),
            streams: streams.iter().enumerate().map(|(index, it)| stream(index, it)).collect(),
            dynamic_streams: dynamic.map(|(index, it)| dynamic_stream(index, it)).collect(),
            inputs: root.get("spec").map(inputs).unwrap_or_default(),
        }
    }

    /// The names of its streams.
    pub fn stream_names(&self) -> impl Iterator<Item = &str> {
        self.streams.iter().map(|stream| stream.name.as_str())
    }
}

fn items<'n>(root: &'n Node, field: &str) -> &'n [Node] {
    root.get(field).map(Node::items).unwrap_or_default()
}

fn text(node: &Node, field: &str) -> Option<String> {
    node.get(field)?.as_str().map(str::to_owned)
}

fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

fn stream(index: usize, node: &Node) -> Stream {
    let kind = match node.type_name() {
        Some("StateDelegatingStream") => "state_delegating",
        Some("ConditionalStreams") => "conditional",
        _ => "declarative",
    };
    Stream {
        name: text(node, "name").unwrap_or_default(),
        index,
        kind,
        path: vec![key("streams"), Step::Index(index)],
        retriever: node.get("retriever").and_then(|it| text(it, "type")),
    }
}

fn dynamic_stream(index: usize, node: &Node) -> DynamicStream {
    let template = || node.get("stream_template").and_then(|it| text(it, "name"));
    let name = text(node, "name").or_else(template);
    let name = name.unwrap_or_else(|| format!("dynamic_stream_{index}"));
    DynamicStream { name, index, path: vec![key("dynamic_streams"), Step::Index(index)] }
}

fn inputs(spec: &Node) -> Vec<Input> {
    let Some(specification) = spec.get("connection_specification") else { return Vec::new() };
    let required = items(specification, "required");
    let properties = specification.get("properties").into_iter().flat_map(Node::fields);
    let input = |name: String, node: &Node| Input {
        path: ["spec", "connection_specification", "properties", &name].map(key).to_vec(),
        kind: kind(node),
        secret: node.has("airbyte_secret"),
        required: required.iter().any(|it| it.as_str() == Some(&name)),
        title: text(node, "title"),
        order: node.get("order").and_then(Node::as_i64),
        name,
    };
    properties.map(|(key, node)| input(key.name().into_owned(), node)).collect()
}

/// The type of an input; of several, the first that is not null.
fn kind(node: &Node) -> Option<String> {
    let kind = node.get("type")?;
    let one_of = kind.items().iter().filter_map(Node::as_str).find(|it| *it != "null");
    kind.as_str().or(one_of).map(str::to_owned)
}
