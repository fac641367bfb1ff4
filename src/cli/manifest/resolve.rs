//! `manifest resolve`: a manifest as the components see it.

use std::path::PathBuf;
use std::process::ExitCode;

use super::read_resolved;
use crate::manifest::to_yaml;
use crate::protocol::writer;

/// Prints a manifest with its references resolved and its `$parameters` handed down, as YAML.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest manifest resolve manifest.yaml")]
pub(super) struct Resolve {
    /// The manifest, a YAML file.
    file: PathBuf,
}

impl Resolve {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let Some(manifest) = read_resolved(&self.file)? else { return Ok(ExitCode::FAILURE) };
        writer::print(to_yaml(&manifest.root).as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
