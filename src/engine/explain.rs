//! What the next read will ask for, and what of its state makes no difference.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::components::outlook::Next;
use crate::components::{BuildError, ReadError, Stream};
use crate::protocol::{ConfiguredCatalog, States};

/// What the next read will ask for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Explanation {
    /// The streams that are read, in the order of the catalog.
    pub streams: Vec<StreamExplanation>,
    /// What has no effect of all that was given, in sentences.
    pub ignored: Vec<String>,
}

/// What the next read will ask of one stream.
#[derive(Clone, Debug, Serialize)]
pub struct StreamExplanation {
    /// Its name.
    pub name: String,
    /// Whether it has a state.
    pub has_state: bool,
    /// What is asked for; nothing when the stream cannot be read.
    pub next: Option<Next>,
    /// Why it cannot be read.
    pub fault: Option<String>,
    /// What of its state has no effect, in sentences.
    pub ignored: Vec<String>,
}

impl StreamExplanation {
    /// Explains a stream, or why it cannot be built.
    pub(super) fn new(name: &str, stream: Result<Stream, BuildError>, states: &States) -> Self {
        let outlook = stream.and_then(|stream| {
            let state = stream.state.as_deref().cloned().unwrap_or_default();
            stream.cursor.outlook(&state).map_err(|err: ReadError| err.into())
        });
        let (next, ignored, fault) = match outlook {
            Ok(outlook) => (Some(outlook.next), outlook.ignored, None),
            Err(err) => (None, Vec::new(), Some(err.to_string())),
        };
        let has_state = states.get(name).is_some_and(|state| !state.is_empty());
        Self { name: name.to_owned(), has_state, next, fault, ignored }
    }
}

/// What of catalog and states does not concern any stream that is read.
pub(super) fn ignored(
    known: &BTreeSet<&str>,
    catalog: &ConfiguredCatalog,
    states: &States,
) -> Vec<String> {
    let mut ignored = Vec::new();
    for stream in catalog.streams.iter().filter(|stream| !known.contains(&*stream.name)) {
        let name = &stream.name;
        ignored.push(format!("the catalog selects `{name}`, which the manifest does not have"));
    }
    let names: BTreeSet<_> = states.keys().collect();
    for name in names {
        if !known.contains(name.as_str()) {
            ignored.push(format!("there is a state of `{name}`, which the manifest does not have"));
        } else if catalog.stream(name).is_none() {
            ignored.push(format!("there is a state of `{name}`, which is not selected"));
        }
    }
    ignored
}
