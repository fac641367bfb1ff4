//! `manifest schema`: what manifests may say, for tools.

use std::process::ExitCode;

use crate::components::registry::manifest_schema;
use crate::protocol::writer;

/// Prints the JSON schema (draft 7) of manifests.
///
/// It describes manifests with references resolved and `$parameters` handed down, as
/// `manifest resolve` prints them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest manifest schema > manifest.schema.json")]
pub(super) struct Schema {}

impl Schema {
    #[expect(clippy::unused_self, reason = "all commands are run alike")]
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        writer::print(format!("{:#}\n", manifest_schema()).as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
