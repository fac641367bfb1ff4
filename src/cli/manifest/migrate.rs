//! `manifest migrate`: a manifest brought up to date.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use super::show;
use crate::cli::tell;
use crate::http::urljoin;
use crate::manifest::{Source, migrate};
use crate::protocol::writer;

/// Brings a manifest up to date, in its own text: comments and order stay.
///
/// `url_base` and `path` become `url`, `request_body_json` and `request_body_data` become
/// `request_body`, as in the migrations of the reference.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source-declarative-manifest manifest migrate manifest.yaml | diff manifest.yaml -
  source-declarative-manifest manifest migrate --write manifest.yaml")]
pub(super) struct Migrate {
    /// Writes the file anew instead of printing it.
    #[arg(long)]
    write: bool,
    /// The manifest, a YAML file.
    file: PathBuf,
}

impl Migrate {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let source = Source::read(&self.file)?;
        let migrated = match migrate(&source, urljoin) {
            Ok(migrated) => migrated,
            Err(findings) => {
                show(&findings, Some(&source));
                return Ok(ExitCode::FAILURE);
            }
        };
        if !migrated.notes.is_empty() {
            show(&migrated.notes, Some(&source));
        }
        let (n_changed, n_left) = (migrated.n_changed, migrated.notes.len());
        let name = self.file.display();
        tell(&format!("{name}: requesters changed: {n_changed}, not all through: {n_left}\n"));
        if !self.write {
            writer::print(migrated.text.as_bytes())?;
        } else if migrated.text != *source.text {
            fs::write(&self.file, migrated.text).with_context(|| format!("cannot write {name}"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
