//! The files that a protocol command is given.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::manifest::{Manifest, Source};
use crate::protocol::{ConfiguredCatalog, States, read_states};
use crate::value::{self, Json, Map, python_repr, python_type_name};

/// Where images built from the platform's templates have their manifest.
const BUNDLED: &str = "/airbyte/integration_code/source_declarative_manifest/manifest.yaml";
/// Where the platform puts the manifest of a connector that has none in its image.
pub(super) const INJECTED: &str = "__injected_declarative_manifest";
/// Where the platform puts the code of such a connector.
const INJECTED_CODE: &str = "__injected_components_py";

/// Where the manifest of a run is.
#[derive(Debug, PartialEq)]
pub(super) enum ManifestOrigin<'a> {
    /// In a file; code beside that of an image is trusted.
    File {
        /// The file.
        path: PathBuf,
        /// Whether it came with the image.
        is_bundled: bool,
    },
    /// In the config.
    Config(&'a Json),
    /// Among the projects of the Connector Builder.
    #[cfg(feature = "ui")]
    Published(Source),
}

impl<'a> ManifestOrigin<'a> {
    /// The manifest of the image, or else the one that was named, or else the
    /// one in the config; nothing when there is none anywhere.
    pub(super) fn find(
        manifest_path: Option<&Path>,
        config: Option<&'a Map>,
    ) -> anyhow::Result<Option<Self>> {
        let bundled = Path::new(BUNDLED);
        if bundled.exists() {
            return Ok(Some(Self::File { path: bundled.to_owned(), is_bundled: true }));
        }
        if let Some(path) = manifest_path {
            return Ok(Some(Self::File { path: path.to_owned(), is_bundled: false }));
        }
        match config.and_then(|config| config.get(INJECTED)) {
            Some(manifest @ Json::Object(_)) => Ok(Some(Self::Config(manifest))),
            Some(other) => {
                let kind = python_type_name(other);
                bail!(
                    "Invalid config: `{INJECTED}` should be a dictionary, but got type: <class '{kind}'>"
                )
            }
            None => Ok(None),
        }
    }

    /// As [`Self::find`], for commands that cannot do without a manifest.
    pub(super) fn find_for(manifest_path: Option<&Path>, config: &'a Map) -> anyhow::Result<Self> {
        let found = Self::find(manifest_path, Some(config))?;
        found.with_context(|| {
            let keys = config.keys().map(|key| Json::from(key.as_str())).collect::<Json>();
            let keys = python_repr(&keys);
            format!(
                "Invalid config: `{INJECTED}` should be provided at the root of the config or \
                 using the --manifest-path argument. Config only has keys: {keys}"
            )
        })
    }

    /// Reads the manifest; also tells the folder of the files that it may name.
    pub(super) fn load(&self) -> anyhow::Result<(Manifest, PathBuf)> {
        Ok(match self {
            Self::File { path, .. } => {
                let folder = path.parent().map(Path::to_owned).unwrap_or_default();
                (Manifest::from_yaml(Source::read(path)?), folder)
            }
            Self::Config(manifest) => (Manifest::from_json(manifest), PathBuf::new()),
            #[cfg(feature = "ui")]
            Self::Published(source) => (Manifest::from_yaml(source.clone()), PathBuf::new()),
        })
    }
}

/// Whether whoever runs this program permits code of others.
pub(super) fn permits_custom_code() -> bool {
    std::env::var("AIRBYTE_ENABLE_UNSAFE_CODE").is_ok_and(|it| it.eq_ignore_ascii_case("true"))
}

/// Refuses code that came with a run, unless whoever runs it permits that.
pub(super) fn check_components(path: Option<&Path>, config: &Map) -> anyhow::Result<()> {
    let has_code = path.is_some() || config.get(INJECTED_CODE).is_some_and(value::is_truthy);
    if has_code && !permits_custom_code() {
        bail!(
            "Custom connector code is not permitted in this environment. If you need to run custom \
             code, please ask your administrator to set the `AIRBYTE_ENABLE_UNSAFE_CODE` \
             environment variable to 'true' in your Airbyte environment. If you see this message \
             in Airbyte Cloud, your workspace does not allow executing custom connector code."
        );
    }
    Ok(())
}

/// Where the platform looks for files; without a platform they go to a folder for temporary files.
pub(super) fn files_dir() -> PathBuf {
    let staging = std::env::var_os("AIRBYTE_STAGING_DIRECTORY")
        .map_or_else(|| PathBuf::from("/staging/files"), PathBuf::from);
    if staging.exists() { staging } else { PathBuf::from("/tmp/airbyte-file-transfer") }
}

/// Reads a config.
pub(super) fn read_config(path: &Path) -> anyhow::Result<Map> {
    match read_json(path)? {
        Json::Object(config) => Ok(config),
        _ => bail!(
            "The content of {} is not an object and therefore is not a valid config. Please \
             ensure the file represent a config.",
            path.display()
        ),
    }
}

/// Reads a configured catalog.
pub(super) fn read_catalog(path: &Path) -> anyhow::Result<ConfiguredCatalog> {
    ConfiguredCatalog::read(&read_json(path)?)
        .with_context(|| format!("The content of {} is not a valid catalog", path.display()))
}

/// Reads the states to start from; none when no file is named.
pub(super) fn read_state(path: Option<&Path>) -> anyhow::Result<States> {
    let Some(path) = path else { return Ok(States::new()) };
    read_states(&read_json(path)?)
        .with_context(|| format!("The content of {} is not a valid state", path.display()))
}

fn read_json(path: &Path) -> anyhow::Result<Json> {
    let bytes = read_file(path)?;
    value::parse(&bytes).map_err(|err| {
        anyhow::anyhow!(
            "Could not read json file {}: {err}. Please ensure that it is a valid JSON.",
            path.display()
        )
    })
}

/// Reads a file; what goes wrong is told as Python tells it.
fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).map_err(|err| anyhow::anyhow!(os_error(&err, path)))
}

fn os_error(err: &io::Error, path: &Path) -> String {
    let path = python_repr(&Json::from(path.to_string_lossy()));
    let Some(code) = err.raw_os_error() else { return format!("{err}: {path}") };
    let text = err.to_string();
    let text = text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text);
    format!("[Errno {code}] {text}: {path}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Json) -> Map {
        let Json::Object(map) = value else { panic!("not an object") };
        map
    }

    #[test]
    fn a_named_manifest_goes_before_an_injected_one() {
        let config = map(json!({INJECTED: {"version": "1"}}));
        let file = ManifestOrigin::File { path: "m.yaml".into(), is_bundled: false };
        let named = ManifestOrigin::find_for(Some(Path::new("m.yaml")), &config);
        assert_eq!(named.unwrap(), file);
        let injected = ManifestOrigin::find_for(None, &config).unwrap();
        assert_eq!(injected, ManifestOrigin::Config(&json!({"version": "1"})));
    }

    #[test]
    fn a_lack_of_manifest_is_told_in_the_words_of_the_reference() {
        let error = |config| ManifestOrigin::find_for(None, &map(config)).unwrap_err().to_string();
        assert_eq!(
            error(json!({"api_key": 1, "b": 2})),
            "Invalid config: `__injected_declarative_manifest` should be provided at the root of the \
             config or using the --manifest-path argument. Config only has keys: ['api_key', 'b']"
        );
        assert_eq!(
            error(json!({INJECTED: "x"})),
            "Invalid config: `__injected_declarative_manifest` should be a dictionary, but got type: \
             <class 'str'>"
        );
    }

    #[test]
    fn files_that_cannot_be_read_are_told_in_the_words_of_python() {
        let error = read_file(Path::new("/nonexistent/it's")).unwrap_err().to_string();
        assert_eq!(error, r#"[Errno 2] No such file or directory: "/nonexistent/it's""#);
    }
}
