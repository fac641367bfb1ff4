//! Which streams a source has with a config, and how they are built.

use std::collections::HashSet;
use std::sync::Arc;

use super::{StreamEntry, groups, yaml};
use crate::components::{
    BuildContext, BuildError, ComponentsResolver, ReadError, Slot, Stream, StreamScope,
};
use crate::manifest::{Findings, Key, Node, NodeValue, cache_parents, propagate};
use crate::protocol::{FailureType, TracedError};

/// A stream made of a template.
#[derive(Clone, Debug)]
pub struct GeneratedStream {
    /// The name of the template.
    pub template: String,
    /// The stream as it would be written in the manifest.
    pub node: Node,
}

impl yaml::DeclarativeSource {
    /// The streams that are written in the manifest, without those whose condition does not hold.
    pub fn static_streams(&self, cx: &BuildContext<'_>) -> Result<Vec<Node>, BuildError> {
        let mut streams = Vec::new();
        for entry in self.streams.iter().flatten() {
            match entry {
                StreamEntry::Stream(slot) => streams.push(slot.node().clone()),
                StreamEntry::Conditional(entry) if entry.holds(cx)? => {
                    streams.extend(entry.streams.iter().map(|slot| slot.node().clone()));
                }
                StreamEntry::Conditional(_) => {}
            }
        }
        Ok(streams)
    }

    /// The streams that are made of templates; may ask the API.
    pub async fn generated_streams(
        &self,
        cx: &BuildContext<'_>,
    ) -> Result<Vec<GeneratedStream>, ReadError> {
        let mut names = HashSet::new();
        let mut generated = Vec::new();
        for (idx, entry) in self.dynamic_streams.iter().flatten().enumerate() {
            let template = match entry.name.as_str() {
                "" => format!("dynamic_stream_{idx}"),
                name => name.to_owned(),
            };
            let resolver = with_cache(entry.components_resolver.node());
            let scope = StreamScope { name: entry.name.clone(), ..StreamScope::default() };
            let resolver =
                Slot::<dyn ComponentsResolver>::new(resolver).build(&cx.for_stream(scope))?;
            for node in resolver.resolve(entry.stream_template.node()).await? {
                let node = propagate(&node, entry.use_parent_parameters, &mut Findings::default());
                let name = stream_name(&node)?;
                if !names.insert(name.clone()) {
                    return Err(duplicate(&name, resolver.follows_config()));
                }
                generated.push(GeneratedStream { template: template.clone(), node });
            }
        }
        Ok(generated)
    }

    /// Builds the streams `selected` among `all` of the source, in order.
    pub fn build_streams(
        &self,
        selected: &[Node],
        all: &[Node],
        cx: &BuildContext<'_>,
    ) -> Result<Vec<Stream>, BuildError> {
        let build = |node: Node| {
            let name = node.get("name").and_then(Node::as_str).unwrap_or_default();
            let state = cx.environment.states.get(name).cloned().map(Arc::new);
            let scope = StreamScope { name: name.to_owned(), state, ..StreamScope::default() };
            Slot::<Stream>::new(node).build(&cx.for_stream(scope))
        };
        let streams = cache_parents(selected, all).into_iter().map(build);
        let mut streams = streams.collect::<Result<Vec<_>, _>>()?;
        groups::assign(&self.stream_groups, &mut streams)?;
        Ok(streams)
    }
}

/// A resolver that keeps the responses which its streams are made of: check and read make them anew.
fn with_cache(resolver: &Node) -> Node {
    let change = |node: &Node, key: &str, value: Node| {
        let NodeValue::Map(mut fields) = node.value().clone() else { return node.clone() };
        fields.insert(Key::new(key, None), value);
        Node::new(NodeValue::Map(fields), node.span())
    };
    let Some(retriever) = resolver.get("retriever") else { return resolver.clone() };
    let Some(requester) = retriever.get("requester") else { return resolver.clone() };
    let requester = change(requester, "use_cache", NodeValue::Bool(true).into());
    change(resolver, "retriever", change(retriever, "requester", requester))
}

fn stream_name(node: &Node) -> Result<String, ReadError> {
    node.get("name").and_then(Node::as_str).map(str::to_owned).ok_or_else(|| {
        let found = node.get("name").map_or("null", Node::kind_name);
        ReadError::value(format!("Expected the name of a stream to be a string, got {found}."))
    })
}

fn duplicate(name: &str, follows_config: bool) -> ReadError {
    let (advice, failure_type) = if follows_config {
        ("Please check your configuration.", FailureType::ConfigError)
    } else {
        ("Please contact Airbyte Support.", FailureType::SystemError)
    };
    let message = format!("Dynamic streams list contains a duplicate name: {name}. {advice}");
    ReadError::traced(TracedError::new(failure_type, message.clone()).with_internal(message))
}
