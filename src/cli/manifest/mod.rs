//! `manifest`: what can be done with a manifest that is not run.

mod lint;
mod migrate;
mod normalize;
mod resolve;
mod schema;
mod validate;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::tell;
use crate::manifest::{Findings, Manifest as ManifestTree, Source, render};

pub(super) use validate::inspect;

/// Looks at manifests without running them.
#[derive(Debug, clap::Args)]
pub(super) struct Manifest {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::Validate),
    Lint(lint::Lint),
    Schema(schema::Schema),
    Resolve(resolve::Resolve),
    Migrate(migrate::Migrate),
    Normalize(normalize::Normalize),
}

impl Manifest {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::Validate(validate) => validate.run(),
            Command::Lint(lint) => lint.run(),
            Command::Schema(schema) => schema.run(),
            Command::Resolve(resolve) => resolve.run(),
            Command::Migrate(migrate) => migrate.run(),
            Command::Normalize(normalize) => normalize.run(),
        }
    }
}

/// Reads a manifest whose references can be resolved; nothing, after telling why, if they cannot.
fn read_resolved(file: &Path) -> anyhow::Result<Option<ManifestTree>> {
    let manifest = ManifestTree::from_yaml(Source::read(file)?);
    if !manifest.findings.has_errors() {
        return Ok(Some(manifest));
    }
    show(&manifest.findings, manifest.source.as_ref());
    Ok(None)
}

/// Shows findings as a compiler does.
fn show(findings: &Findings, source: Option<&Source>) {
    let is_coloured = io::stderr().is_terminal();
    tell(&render(findings, source, is_coloured));
    tell("\n\n");
}
