//! The command line: one file per sub-command, and what they share.
//!
//! Commands of the protocol ([`check`], [`discover`], [`read`], [`spec`]) print
//! messages on stdout, whatever happens; the others are for people.

mod argv;
#[cfg(feature = "ui")]
mod builder;
mod check;
mod command_in_config;
mod completions;
#[cfg(feature = "ui")]
mod connector;
mod discover;
mod image;
mod inputs;
mod limits;
mod manifest;
mod new;
mod outside;
mod progress;
mod protocol_run;
mod read;
mod shard;
mod source_args;
mod spec;
mod state;
mod summary;
mod template;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

const EXAMPLES: &str = "Examples:
  source-declarative-manifest spec --manifest-path manifest.yaml
  source-declarative-manifest check --config config.json --manifest-path manifest.yaml
  source-declarative-manifest discover --config config.json --manifest-path manifest.yaml
  source-declarative-manifest read --config config.json --catalog catalog.json --state state.json
  source-declarative-manifest read --config config.json --manifest-path manifest.yaml --stream users
  source-declarative-manifest manifest validate manifest.yaml
  source-declarative-manifest manifest lint manifest.yaml
  source-declarative-manifest new source-pokeapi
  source-declarative-manifest image build manifest.yaml -t airbyte/source-pokeapi:1.0.0
  source-declarative-manifest state explain state.json --config config.json --manifest-path manifest.yaml
  source-declarative-manifest state merge shard-0.jsonl shard-1.jsonl > state.json";

/// Runs Airbyte declarative manifests as a native Airbyte source.
#[derive(Debug, Parser)]
#[command(name = "source-declarative-manifest", version, after_help = EXAMPLES)]
// The reference's parser takes any beginning of an option that only one option has.
#[command(infer_long_args = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Spec(spec::Spec),
    Check(check::Check),
    Discover(discover::Discover),
    Read(read::Read),
    Manifest(manifest::Manifest),
    New(new::New),
    Image(image::Image),
    State(state::State),
    Template(template::Template),
    #[cfg(feature = "ui")]
    Builder(builder::Builder),
    Completions(completions::Completions),
}

/// What the log shows.
#[derive(Debug, clap::Args)]
struct LogArgs {
    /// Logs in full detail what the run does.
    #[arg(long)]
    debug: bool,
    /// How much is logged.
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", hide_env_values = true)]
    log_level: Option<String>,
}

/// Runs what `args` (with the program's own name) ask for.
///
/// 0 is success, also of a check that says no; 2 a command line that makes no
/// sense; 1 everything else that goes wrong.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = argv::without_interpreter(args);
    if args.len() < 2 {
        tell(&Cli::command().render_help().to_string());
        return ExitCode::FAILURE;
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(err) => {
            // Nothing is left to do for a reader that has gone.
            let _ = err.print();
            return if err.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match cli.command {
        Command::Spec(spec) => spec.run(),
        Command::Check(check) => check.run(),
        Command::Discover(discover) => discover.run(),
        Command::Read(read) => read.run(),
        Command::Manifest(manifest) => manifest.run(),
        Command::New(new) => new.run(),
        Command::Image(image) => image.run(),
        Command::State(state) => state.run(),
        Command::Template(template) => template.run(),
        #[cfg(feature = "ui")]
        Command::Builder(builder) => builder.run(),
        Command::Completions(completions) => completions.run(),
    };
    outcome.unwrap_or_else(|err| {
        tell(&format!("error: {}\n", sentence(&err)));
        ExitCode::FAILURE
    })
}

/// Whether `args` (with the program's own name) make sense; nothing is done.
#[doc(hidden)]
pub fn understands(args: impl IntoIterator<Item = OsString>) -> bool {
    Cli::try_parse_from(argv::without_interpreter(args)).is_ok()
}

/// The error and its causes in one line; many errors quote their cause themselves.
fn sentence(err: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in err.chain().map(ToString::to_string) {
        if !text.ends_with(&cause) {
            let separator = if text.is_empty() { "" } else { ": " };
            text.push_str(separator);
            text.push_str(&cause);
        }
    }
    text
}

/// Says something to the people before the screen.
fn tell(text: &str) {
    // Nothing is left to do when they have gone.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_has_no_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_cause_is_told_once() {
        let err =
            anyhow::anyhow!("disk full").context("cannot write: disk full").context("no luck");
        assert_eq!(sentence(&err), "no luck: cannot write: disk full");
    }
}
