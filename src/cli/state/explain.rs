//! `state explain`: what the next read will ask for.

use std::fmt::Write;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use clap::ValueEnum;
use jiff::Timestamp;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use super::super::inputs::{self, ManifestOrigin};
use super::super::shard;
use crate::components::outlook::{Next, PartitionWindows, Slices, Terms};
use crate::engine::{Explanation, Output, Session, Source, StreamExplanation};
use crate::http::{Http, Offline};
use crate::protocol::log::LogLayer;
use crate::protocol::{Shard, States, Writer, kept_messages, read_states, unread_messages, writer};
use crate::run::RunContext;
use crate::value::{Json, Secrets};

/// Tells what the next read will ask for, and what of the state has no effect.
///
/// Uses no network: which partitions a parent stream gives is not known. Ends with 1 if a stream
/// cannot be read with its state.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest state explain state.json --manifest-path manifest.yaml --config config.json")]
pub(super) struct Explain {
    /// The output of a read, or its states as a list.
    file: PathBuf,
    /// The config, a JSON file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The manifest, a YAML file; without one it is taken from the config.
    #[arg(long, value_name = "FILE")]
    manifest_path: Option<PathBuf>,
    /// Which streams are read, a JSON file; all of them unless given.
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// The shard whose next read is meant.
    #[arg(long, value_name = "SHARD", value_parser = shard::read, default_value_t = Shard::WHOLE)]
    #[arg(hide_default_value = true)]
    shard: Shard,
    /// When the next read is; now unless given.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// For people, or for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Explain {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let name = self.file.display().to_string();
        let file = File::open(&self.file).with_context(|| format!("{name} cannot be read"))?;
        let messages = kept_messages(BufReader::new(file), &name)?;
        let states = read_states(&messages).with_context(|| name)?;
        let secrets = Secrets::new();
        let (mut explanation, warnings) = self.explain(states, &secrets)?;
        explanation.ignored.splice(..0, unread_messages(&messages));
        explanation.ignored.extend(warnings);
        let text = match self.format {
            Format::Text => text(&explanation),
            Format::Json => format!("{}\n", serde_json::to_string_pretty(&explanation)?),
        };
        writer::print(secrets.mask(&text).as_bytes())?;
        let is_readable = explanation.streams.iter().all(|stream| stream.fault.is_none());
        Ok(if is_readable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Explain {
    /// The explanation, and what the source has warned of meanwhile.
    fn explain(
        &self,
        states: States,
        secrets: &Secrets,
    ) -> anyhow::Result<(Explanation, Vec<String>)> {
        let log = Log::default();
        let (writer, thread) = Writer::spawn(log.clone())?;
        let layer = LogLayer::new(writer.clone(), secrets.clone(), LevelFilter::WARN);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
        let config = inputs::read_config(&self.config)?;
        let origin = ManifestOrigin::find_for(self.manifest_path.as_deref(), &config)?;
        let (manifest, base_dir) = origin.load()?;
        let now = self.now.unwrap_or_else(|| RunContext::system().now());
        let session = Session {
            config,
            // Nobody has asked for a migrated one.
            config_path: None,
            files_dir: PathBuf::new(),
            base_dir,
            catalog: self.catalog.as_deref().map(inputs::read_catalog).transpose()?,
            stream_names: Vec::new(),
            states,
            shard: self.shard,
            prefetch: 0,
            test: None,
            http: Http::new(Arc::new(Offline)),
            output: Output { writer, run: RunContext::fixed(now), secrets: secrets.clone() },
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let explanation = runtime.block_on(Source::open(&manifest, session)?.explain())?;
        thread.finish()?;
        Ok((explanation, log.warnings()))
    }
}

/// Keeps the messages that the source prints.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn warnings(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let messages = lines.split(|byte| *byte == b'\n').map(serde_json::from_slice::<Json>);
        let log = messages.flatten().filter_map(|message| {
            message.pointer("/log/message").and_then(Json::as_str).map(str::to_owned)
        });
        log.collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text(explanation: &Explanation) -> String {
    let mut text = String::new();
    for stream in &explanation.streams {
        let [first, more @ ..] = &sentences(stream)[..] else { continue };
        // Writing to a text cannot fail, here and below.
        let _ = writeln!(text, "{}: {first}", stream.name);
        for sentence in more {
            let _ = writeln!(text, "  {sentence}");
        }
    }
    for sentence in &explanation.ignored {
        let _ = writeln!(text, "note: {sentence}");
    }
    text
}

/// What there is to say of a stream, the most important first.
fn sentences(stream: &StreamExplanation) -> Vec<String> {
    let mut sentences = match &stream.next {
        None => vec![format!("cannot be read: {}", stream.fault.as_deref().unwrap_or_default())],
        Some(Next::Everything) => {
            vec!["everything, as at each read: the stream has no cursor".to_owned()]
        }
        Some(Next::Numbers { cursor_field, from }) => {
            vec![format!("what has a `{cursor_field}` from {from} on")]
        }
        Some(Next::Windows(next)) => {
            let what = format!("what is new by `{}`", next.terms.cursor_field);
            let mut sentences = vec![what, windows(&next.slices)];
            sentences.extend(terms(&next.terms));
            sentences
        }
        Some(Next::Partitions(next)) => partitions(next),
    };
    if !stream.has_state && stream.next != Some(Next::Everything) {
        sentences.push("there is no state of it".to_owned());
    }
    sentences.extend(stream.ignored.iter().map(|ignored| format!("note: {ignored}")));
    sentences
}

fn partitions(next: &PartitionWindows) -> Vec<String> {
    let PartitionWindows { terms: own_terms, n_with_state, furthest_behind, .. } = next;
    let kept = if next.is_global { "one cursor for all" } else { "a cursor for each" };
    let field = &own_terms.cursor_field;
    let mut sentences = vec![format!("what is new by `{field}` in each partition, with {kept}")];
    let n_slices = counted(next.n_slices, "slice");
    let known = counted(*n_with_state, "partition");
    if *n_with_state > 0 {
        sentences.push(format!("{known} with a state of their own: {n_slices}"));
    }
    for start in furthest_behind {
        sentences.push(format!("  from {}: {}", start.from, start.partition));
    }
    if *n_with_state > furthest_behind.len() && !furthest_behind.is_empty() {
        sentences.push("  these are the furthest behind".to_owned());
    }
    let others = match next.n_without_state {
        Some(count) => format!("{} without a state", counted(count, "partition")),
        None => "partitions without a state, which only the parents can tell".to_owned(),
    };
    sentences.push(format!("{others}: each {}", windows(&next.slices_of_others)));
    sentences.push(match &next.global {
        Some(global) if next.lookback_seconds > 0 => format!(
            "  they begin at the cursor of all, {global}, less {}",
            counted(usize::try_from(next.lookback_seconds).unwrap_or(0), "second")
        ),
        Some(global) => format!("  they begin at the cursor of all, {global}"),
        None => "  they begin at the start, as there is no cursor of all".to_owned(),
    });
    if let Some(count @ 1..) = next.n_gone {
        let gone = counted(count, "partition");
        sentences.push(format!("{gone} with a state, which the stream does not have any more"));
    }
    for (parent, state) in &next.parents {
        sentences.push(format!("the parent `{parent}` is read from {state} on"));
    }
    sentences.extend(terms(own_terms));
    sentences
}

fn windows(slices: &Slices) -> String {
    let window = |(start, end): &(String, String)| format!("{start} – {end}");
    let Some(last) = &slices.last else { return "nothing is left to read".to_owned() };
    let mut first: Vec<_> = slices.first.iter().map(window).collect();
    if slices.count > first.len() {
        first.push(format!("… {}", window(last)));
    }
    let more = if slices.count == Slices::MAX { "at least " } else { "" };
    format!("{more}{}: {}", counted(slices.count, "slice"), first.join(", "))
}

fn terms(terms: &Terms) -> Vec<String> {
    let Terms { start, end, step, granularity, lookback, .. } = terms;
    let mut cut = format!("from the start {start} to the end {end}");
    if let Some(step) = step {
        let _ = write!(cut, ", in windows of {step}");
    }
    if let Some(granularity) = granularity {
        let _ = write!(cut, ", to the nearest {granularity}");
    }
    let lookback = lookback.as_ref().map(|it| format!("{it} before the state are read again"));
    std::iter::once(cut).chain(lookback).collect()
}

/// `1 slice`, `2 slices`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
