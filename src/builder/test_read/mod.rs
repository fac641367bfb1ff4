//! Test reads: a little of one stream, with everything that was asked and answered.
//!
//! A read runs as ever (see [`crate::engine::Witness`]), but with limits, one slice after the other,
//! without retries and caches. A [`Tape`] takes down what happens and makes the answer of it; a
//! [`Watcher`] hears of it at once.

mod answer;
mod datetime;
mod schema;
mod tape;
mod watcher;

use std::sync::Arc;

use tracing::Dispatch;
use tracing::instrument::WithSubscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use self::tape::Tape;
use super::outside::Outside;
use crate::components::{Stream, TestLimits};
use crate::engine::{EngineError, Source, TestSession};
use crate::manifest::Manifest;
use crate::protocol::States;
use crate::protocol::log::LogLayer;
use crate::value::{Json, Map, Secrets};

pub use answer::{
    AuxiliaryRequest, HttpRequest, HttpResponse, LogMessage, Page, Slice, StreamRead,
};
pub use watcher::{Event, Watcher};

/// What is read.
#[derive(Debug)]
pub struct TestRead<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// The user's config.
    pub config: Map,
    /// The name of the stream.
    pub stream: &'a str,
    /// Where earlier reads have come to.
    pub states: States,
    /// How much is read.
    pub limits: Limits,
    /// What may not be shown; those of the config are added, and what is got while reading.
    pub secrets: Secrets,
}

/// How much a test read reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records, of all slices; the reference only tells whether there were as many.
    pub records: usize,
    /// Pages of a slice.
    pub pages: usize,
    /// Slices.
    pub slices: usize,
    /// Whether the read really ends with so many records.
    pub stops_at_records: bool,
}

impl Limits {
    /// The limits of who names none.
    pub const DEFAULT: Self = Self { records: 100, pages: 5, slices: 5, stops_at_records: false };
}

/// What a test read came to.
#[derive(Debug)]
pub struct Outcome {
    /// What the reference answers.
    pub answer: StreamRead,
    /// The stream, if the manifest has it.
    pub stream: Option<Stream>,
    /// The schema that the stream declares, when it is known.
    pub declared_schema: Option<Arc<Json>>,
    /// What may not be shown.
    pub secrets: Secrets,
}

/// Reads; whoever drops this cancels it.
///
/// An error means that nothing was read, and is to be masked with the secrets of `read`; what goes
/// wrong later stands in the answer.
pub async fn run(
    read: TestRead<'_>,
    outside: &Outside,
    watcher: &Watcher,
) -> Result<Outcome, EngineError> {
    let secrets = read.secrets.clone();
    let lines = watcher.clone();
    let tell = move |level, text: &str| lines.log(level, text);
    let layer = LogLayer::telling(tell, secrets.clone(), LevelFilter::INFO);
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    run_logged(read, outside, watcher).with_subscriber(dispatch).await
}

async fn run_logged(
    read: TestRead<'_>,
    outside: &Outside,
    watcher: &Watcher,
) -> Result<Outcome, EngineError> {
    let TestRead { manifest, config, stream, states, limits, secrets } = read;
    let run = outside.run(watcher.clock());
    let tape = Arc::new(Tape::new(stream, limits, secrets.clone(), run.clone(), watcher.clone()));
    let test = TestSession {
        limits: TestLimits { pages: limits.pages, slices: limits.slices },
        witness: Arc::clone(&tape) as _,
    };
    let session = outside.session(config, Some(stream), states, test, run, secrets.clone());
    let source = Source::open(manifest, session)?;
    let stream = source.test_read(stream, &*tape).await?;
    let answer = tape.finish(stream.as_ref());
    let declared_schema = stream.as_ref().and_then(|stream| stream.schema.known());
    Ok(Outcome { answer, stream, declared_schema, secrets })
}
