//! Connectors that were published in the Connector Builder, where a manifest is wanted.

use std::path::PathBuf;

use super::builder::default_data;
use super::inputs::ManifestOrigin;
use crate::manifest::Source;
use crate::run::RunContext;
use crate::workspace::{DEFAULT_WORKSPACE, Store};

/// Which published connector is run.
#[derive(Debug, clap::Args)]
pub(super) struct ConnectorArgs {
    /// A connector that was published in the Connector Builder, by its name or id; in its active
    /// version, or in the one that is named.
    #[arg(long, value_name = "NAME[@VERSION]", conflicts_with = "manifest_path")]
    connector: Option<String>,
    /// The workspace of the connector.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_WORKSPACE, requires = "connector")]
    workspace: String,
    /// The folder where the Connector Builder keeps projects; one in the home folder unless given.
    #[arg(long, value_name = "DIR", requires = "connector")]
    data: Option<PathBuf>,
}

impl ConnectorArgs {
    /// The connector that was asked for, if one was.
    pub(super) fn origin<'a>(&self) -> anyhow::Result<Option<ManifestOrigin<'a>>> {
        let Some(connector) = &self.connector else { return Ok(None) };
        let (name, version) = split(connector);
        let folder = self.data.clone().unwrap_or_else(default_data);
        let store = Store::open(&folder, RunContext::system())?;
        let published = store.published(&self.workspace, name, version)?;
        let name = format!("{}@{}", published.name, published.version);
        Ok(Some(ManifestOrigin::Published(Source::new(name, published.text))))
    }
}

/// A name, and the version behind its last `@`.
fn split(connector: &str) -> (&str, Option<u32>) {
    let parts = connector.rsplit_once('@');
    match parts.and_then(|(name, version)| Some((name, version.parse().ok()?))) {
        Some((name, version)) => (name, Some(version)),
        None => (connector, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_behind_names() {
        assert_eq!(split("PokéAPI"), ("PokéAPI", None));
        assert_eq!(split("PokéAPI@3"), ("PokéAPI", Some(3)));
        assert_eq!(split("a@b"), ("a@b", None));
        assert_eq!(split("a@b@12"), ("a@b", Some(12)));
    }
}
