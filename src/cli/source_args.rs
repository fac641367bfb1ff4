//! What the commands that run a source have in common.

use std::path::{Path, PathBuf};

use super::LogArgs;
#[cfg(feature = "ui")]
use super::connector::ConnectorArgs;
use super::inputs::{self, ManifestOrigin};
use super::outside::OutsideArgs;
use super::protocol_run::{Failure, Run};
use crate::engine::{Session, Source};
use crate::protocol::{ConfiguredCatalog, Shard, States};

/// Which source, and with which config.
#[derive(Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// The config, a JSON file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The manifest, a YAML file; without one it is taken from the config.
    #[arg(long, value_name = "FILE")]
    manifest_path: Option<PathBuf>,
    /// The Python file with the manifest's custom components.
    #[arg(long, value_name = "FILE")]
    components_path: Option<PathBuf>,
    #[cfg(feature = "ui")]
    #[command(flatten)]
    connector: ConnectorArgs,
    #[command(flatten)]
    pub(super) outside: OutsideArgs,
    #[command(flatten)]
    pub(super) log: LogArgs,
}

/// What a read is given besides the source.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) catalog: Option<ConfiguredCatalog>,
    /// The streams to read without a catalog; all of them if none is named.
    pub(super) stream_names: Vec<String>,
    pub(super) states: States,
    /// How much of each stream is read.
    pub(super) shard: Shard,
    /// How many pages of a slice are asked for ahead.
    pub(super) prefetch: usize,
}

impl SourceArgs {
    /// The file of the config.
    pub(super) fn config(&self) -> &Path {
        &self.config
    }

    /// Makes the source ready, as the reference does before every command.
    pub(super) fn open(
        &self,
        run: &Run,
        selection: impl FnOnce() -> anyhow::Result<Selection>,
    ) -> Result<Source, Failure> {
        let config = inputs::read_config(&self.config)?;
        let Selection { catalog, stream_names, states, shard, prefetch } = selection()?;
        let origin = match self.published()? {
            Some(origin) => origin,
            None => ManifestOrigin::find_for(self.manifest_path.as_deref(), &config)?,
        };
        inputs::check_components(self.components_path.as_deref(), &config)?;
        let (manifest, base_dir) = origin.load()?;
        let session = Session {
            config,
            config_path: Some(self.config.clone()),
            base_dir,
            files_dir: inputs::files_dir(),
            catalog,
            stream_names,
            states,
            shard,
            prefetch,
            test: None,
            http: run.outside.http.clone(),
            output: run.output.clone(),
        };
        Ok(Source::open(&manifest, session)?)
    }

    #[cfg(feature = "ui")]
    fn published(&self) -> anyhow::Result<Option<ManifestOrigin<'_>>> {
        self.connector.origin()
    }

    #[cfg(not(feature = "ui"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as with the feature `ui`")]
    fn published(&self) -> anyhow::Result<Option<ManifestOrigin<'_>>> {
        Ok(None)
    }
}
