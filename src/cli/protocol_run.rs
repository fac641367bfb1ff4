//! How a command of the protocol runs: its output, its log, and how it ends.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::{Display, Write};
use std::io;
use std::iter;
use std::panic;
use std::process::ExitCode;

use anyhow::Context;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use super::outside::{Outside, OutsideArgs};
use super::{LogArgs, sentence, tell};
use crate::engine::{EngineError, Output};
use crate::protocol::failure::causes;
use crate::protocol::log::{LogLayer, most_detailed};
use crate::protocol::message::ErrorTrace;
use crate::protocol::{Closed, Level, Message, TracedError, Writer};
use crate::run::RunContext;
use crate::value::Secrets;

/// What a command of the protocol works with.
#[derive(Debug)]
pub(super) struct Run {
    /// Where its messages go.
    pub(super) output: Output,
    /// Where its answers come from.
    pub(super) outside: Outside,
}

/// Why a command of the protocol did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    /// What it was given does not make a source.
    Start(anyhow::Error),
    /// It started, and something happened.
    Traced(Box<TracedError>),
    /// Nobody reads its output any more.
    Closed,
}

impl From<anyhow::Error> for Failure {
    fn from(err: anyhow::Error) -> Self {
        Self::Start(err)
    }
}

impl From<TracedError> for Failure {
    fn from(err: TracedError) -> Self {
        Self::Traced(Box::new(err))
    }
}

impl From<Closed> for Failure {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<EngineError> for Failure {
    fn from(err: EngineError) -> Self {
        match err {
            EngineError::Traced(err) => Self::Traced(err),
            err => Self::Start(err.into()),
        }
    }
}

/// Runs `work` with everything that a command of the protocol needs.
///
/// A failure is printed the way the platform takes it; when nobody reads any
/// more, the run ends without a word.
pub(super) fn run(
    log: &LogArgs,
    outside: &OutsideArgs,
    work: impl FnOnce(&Run) -> Result<(), Failure>,
) -> anyhow::Result<ExitCode> {
    let (writer, thread) = Writer::stdout()?;
    let secrets = Secrets::new();
    mask_panics(&secrets);
    let asked_for = most_detailed(log.log_level.as_deref());
    let most_detailed = if log.debug { asked_for.max(LevelFilter::DEBUG) } else { asked_for };
    let layer = LogLayer::new(writer.clone(), secrets.clone(), most_detailed);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer))?;
    let outside = outside.open(&secrets);
    let clock = outside.as_ref().map_or_else(|_| RunContext::system(), |it| it.run.clone());
    let output = Output { writer, run: clock, secrets };
    let outcome = outside.map_err(Failure::from).and_then(|outside| {
        let run = Run { output: output.clone(), outside };
        let outcome = work(&run);
        // What was recorded of a run that failed is wanted most of all.
        outcome.and(run.outside.close().map_err(Failure::from))
    });
    if let Err(failure) = &outcome {
        report(failure, &output);
    }
    match thread.finish() {
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::FAILURE),
        finished => finished?,
    }
    Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a bug of ours says goes to stderr as ever, but without secrets.
fn mask_panics(secrets: &Secrets) {
    let secrets = secrets.clone();
    panic::set_hook(Box::new(move |info| {
        tell(&panic_text(info, &Backtrace::capture(), &secrets));
    }));
}

fn panic_text(info: &impl Display, backtrace: &Backtrace, secrets: &Secrets) -> String {
    let mut text = format!("{info}\n");
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = write!(text, "{backtrace}");
    }
    secrets.mask(&text).into_owned()
}

/// How many threads work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Threads {
    /// One: what is done one after the other costs less memory and time so.
    One,
    /// One for each processor.
    All,
}

/// Runs `work` to its end, or until nobody reads the output any more.
pub(super) fn block_on<F: Future>(
    run: &Run,
    threads: Threads,
    work: F,
) -> Result<F::Output, Failure> {
    let mut builder = match threads {
        Threads::One => tokio::runtime::Builder::new_current_thread(),
        Threads::All => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build().context("the runtime cannot be started")?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            biased;
            outcome = work => Ok(outcome),
            () = run.output.writer.closed() => Err(Failure::Closed),
        }
    });
    // What still runs is of no use any more.
    runtime.shutdown_background();
    outcome
}

fn report(failure: &Failure, output: &Output) {
    let mask = |text: &str| output.secrets.mask(text).into_owned();
    let print = |message: &Message| output.writer.write_message_now(message);
    match failure {
        Failure::Start(err) => {
            let text = mask(&sentence(err));
            // Without a failure type, as the reference: the platform may try again.
            let error = ErrorTrace {
                message: format!(
                    "Error starting the sync. This could be due to an invalid configuration or \
                     catalog. Please contact Support for assistance. Error: {text}"
                ),
                internal_message: None,
                stack_trace: Some(mask(&causes(err.as_ref()))),
                failure_type: None,
                stream_descriptor: None,
            };
            print(&Message::error(error, output.run.now()));
            tell(&format!("error: {text}\n"));
        }
        Failure::Traced(err) => {
            let text = err.to_string();
            let stack_trace = err.stack_trace.as_ref().filter(|trace| **trace != text);
            let lines: Vec<_> = iter::once(&text).chain(stack_trace).map(String::as_str).collect();
            print(&Message::log(Level::Fatal, mask(&lines.join("\n"))));
            print(&err.to_message(&output.secrets, output.run.now()));
        }
        Failure::Closed => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_no_secret() {
        let secrets = Secrets::new();
        secrets.add("s3cret/key");
        let info = r#"panicked at a.rs:1:2: called `unwrap` on "a s3cret\/key""#;
        let text = panic_text(&info, &Backtrace::disabled(), &secrets);
        assert_eq!(text, "panicked at a.rs:1:2: called `unwrap` on \"a ****\"\n");
    }
}
