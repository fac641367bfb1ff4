//! `spec`: how a source is configured.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::LogArgs;
#[cfg(feature = "ui")]
use super::connector::ConnectorArgs;
use super::inputs::ManifestOrigin;
use super::outside::OutsideArgs;
use super::protocol_run::{self, Failure, Run};
use crate::engine::{Session, Source};
use crate::protocol::message::Spec as SpecMessage;
use crate::protocol::{Message, Shard, States, TracedError};
use crate::value::{Json, Map};

/// Prints how the source is configured.
///
/// Without a manifest this is the specification of the tool itself, which
/// takes the manifest in its config.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest spec --manifest-path manifest.yaml")]
pub(super) struct Spec {
    /// The manifest whose specification is wanted.
    #[arg(long, value_name = "FILE")]
    manifest_path: Option<PathBuf>,
    #[cfg(feature = "ui")]
    #[command(flatten)]
    connector: ConnectorArgs,
    #[command(flatten)]
    log: LogArgs,
}

impl Spec {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        protocol_run::run(&self.log, &OutsideArgs::default(), |run| {
            let spec = match self.origin()? {
                None => generic(),
                Some(origin) => of_manifest(&origin, run)?,
            };
            run.output.writer.write_message_now(&Message::Spec { spec });
            Ok(())
        })
    }

    fn origin(&self) -> anyhow::Result<Option<ManifestOrigin<'_>>> {
        #[cfg(feature = "ui")]
        if let Some(origin) = self.connector.origin()? {
            return Ok(Some(origin));
        }
        ManifestOrigin::find(self.manifest_path.as_deref(), None)
    }
}

fn of_manifest(origin: &ManifestOrigin<'_>, run: &Run) -> Result<SpecMessage, Failure> {
    let (manifest, base_dir) = origin.load()?;
    let session = Session {
        config: Map::new(),
        config_path: None,
        files_dir: PathBuf::new(),
        base_dir,
        catalog: None,
        stream_names: Vec::new(),
        states: States::new(),
        shard: Shard::WHOLE,
        prefetch: 0,
        test: None,
        http: run.outside.http.clone(),
        output: run.output.clone(),
    };
    let source = Source::open(&manifest, session)?;
    let spec = source.spec().ok_or_else(|| TracedError::system("the manifest has no `spec`"))?;
    Ok(spec.message().clone())
}

/// The specification of the tool: a config that has a manifest in it.
fn generic() -> SpecMessage {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Low-code source spec",
        "type": "object",
        "required": ["__injected_declarative_manifest"],
        "additionalProperties": true,
        "properties": {
            "__injected_declarative_manifest": {
                "title": "Low-code manifest",
                "type": "object",
                "description":
                    "The low-code manifest that defines the components of the source.",
            },
        },
    });
    let schema = if let Json::Object(schema) = schema { schema } else { Map::new() };
    let mut spec = SpecMessage::new(schema);
    spec.documentation_url =
        Some("https://docs.airbyte.com/integrations/sources/low-code".to_owned());
    spec
}
