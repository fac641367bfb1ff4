//! The command line: one file per sub-command, and what they share.
//!
//! What a command is asked for goes to stdout, what it has to say to people to
//! stderr.

mod argv;
mod completions;
mod inputs;
mod template;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Runs Airbyte declarative manifests as a native Airbyte source.
#[derive(Debug, Parser)]
#[command(name = "source-declarative-manifest", version)]
// The reference's parser takes any beginning of an option that only one option has.
#[command(infer_long_args = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Template(template::Template),
    Completions(completions::Completions),
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
        Command::Template(template) => template.run(),
        Command::Completions(completions) => completions.run(),
    };
    outcome.unwrap_or_else(|err| {
        tell(&format!("error: {err:#}\n"));
        ExitCode::FAILURE
    })
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
}
