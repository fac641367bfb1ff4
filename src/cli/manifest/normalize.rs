//! `manifest normalize`: a manifest without repetitions.

use std::path::PathBuf;
use std::process::ExitCode;

use super::read_resolved;
use crate::manifest::{Node, normalize, to_yaml};
use crate::protocol::writer;

/// Prints a manifest in the normal form of the Builder, as YAML.
///
/// References are resolved and `$parameters` handed down; what is then said several times
/// (authenticators, error handlers, URLs, and the like) is said once, under `definitions.linked`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest manifest normalize manifest.yaml > normal.yaml")]
pub(super) struct Normalize {
    /// The manifest, a YAML file.
    file: PathBuf,
}

impl Normalize {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let Some(manifest) = read_resolved(&self.file)? else { return Ok(ExitCode::FAILURE) };
        let normal = Node::from_json(&normalize(&manifest.root.to_json()), None);
        writer::print(to_yaml(&normal).as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
