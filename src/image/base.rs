//! What a connector's image is built on: our own file system, or an image that is there already.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::cache::Cache;
use super::digest::{Blob, Digest};
use super::documents::{Descriptor, Index, Manifest, media};
use super::error::{ImageError, read};
use super::executable::Executable;
use super::image::seconds;
use super::layer::Layer;
use super::platform::Architecture;
use super::registry::Registry;
use super::root::{self, ENTRYPOINT, HOME};
use super::sbom::Bill;
use crate::value::Map;

/// An image for one kind of machine that has everything but a connector.
#[derive(Debug)]
pub struct Base {
    pub(super) architecture: Architecture,
    /// The image's configuration, as it is written.
    pub(super) config: Map,
    pub(super) layers: Vec<Layer>,
    /// What our program is made of; an image that we build on has its own.
    pub(super) bill: Option<Bill>,
}

/// A reason why an image cannot be built on.
type Refusal = String;

impl Base {
    /// Our own: `program` with a shell, both for one machine.
    pub fn own(
        program: &Executable,
        busybox: &Executable,
        created: Timestamp,
        cache: &Cache,
    ) -> Self {
        let bill = Bill::of(program);
        let trees = [root::tools(busybox), root::program(program, bill.as_ref())];
        let layers = trees.map(|tree| cache.compressed(&tree.to_tar(seconds(created)))).into();
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let by = "source-declarative-manifest image build";
        let step =
            |what| json!({"created": created.to_string(), "created_by": by, "comment": what});
        let config = json!({
            "created": created.to_string(),
            "architecture": program.architecture.name(),
            "os": "linux",
            "config": {
                // A number: a cluster that runs nothing as root cannot look a name up.
                "User": "1000:1000",
                "Env": [format!("PATH={path}"), format!("AIRBYTE_ENTRYPOINT={ENTRYPOINT}")],
                "Entrypoint": [ENTRYPOINT],
                "WorkingDir": HOME,
            },
            "history": [step("tools"), step("program")],
        });
        let config = config.as_object().cloned().unwrap_or_default();
        Self { architecture: program.architecture, config, layers, bill }
    }

    /// The images for all machines of a layout, given as its folder or in an archive.
    pub fn read(path: &Path, cache: &Cache) -> Result<Vec<Self>, ImageError> {
        let store = if path.is_dir() { Store::Folder(path.to_owned()) } else { Store::open(path)? };
        store.bases(cache).map_err(|reason| refused(&path.display(), reason))
    }

    /// The images for all machines that a registry has.
    pub async fn pull(registry: &Registry, cache: &Cache) -> Result<Vec<Self>, ImageError> {
        let reference = &registry.reference;
        let refuse = |reason| refused(reference, reason);
        let root = match reference.digest.as_ref().and_then(|digest| cache.get(digest)) {
            Some(bytes) => bytes,
            None => registry.manifest(&reference.name_of_manifest()).await?,
        };
        let root = match &reference.digest {
            Some(digest) => checked(digest, root).map_err(refuse)?,
            None => root,
        };
        cache.put(&Digest::of(&root), &root);
        let manifests: Vec<Manifest> = match listed(&root).map_err(refuse)? {
            None => vec![parse(&root).map_err(refuse)?],
            Some(descriptors) => {
                let mut manifests = Vec::with_capacity(descriptors.len());
                for descriptor in descriptors {
                    let bytes = match cache.get(&descriptor.digest) {
                        Some(bytes) => bytes,
                        None => registry.manifest(&descriptor.digest.to_string()).await?,
                    };
                    let bytes = checked(&descriptor.digest, bytes).map_err(refuse)?;
                    cache.put(&descriptor.digest, &bytes);
                    manifests.push(parse(&bytes).map_err(refuse)?);
                }
                manifests
            }
        };
        let mut bases = Vec::new();
        for manifest in manifests {
            let mut blobs = HashMap::new();
            for descriptor in manifest.layers.iter().chain([&manifest.config]) {
                let digest = &descriptor.digest;
                let bytes = match cache.get(digest) {
                    Some(bytes) => bytes,
                    None => checked(digest, registry.blob(digest).await?).map_err(refuse)?,
                };
                cache.put(digest, &bytes);
                blobs.insert(digest.clone(), bytes);
            }
            let get = |digest: &Digest| {
                blobs.get(digest).cloned().ok_or_else(|| format!("{digest} is missing"))
            };
            bases.push(Self::of(&manifest, get).map_err(refuse)?);
        }
        at_least_one(bases).map_err(refuse)
    }

    /// The image `manifest`, whose parts `get` gives.
    fn of(
        manifest: &Manifest,
        get: impl Fn(&Digest) -> Result<Bytes, Refusal>,
    ) -> Result<Self, Refusal> {
        let config = parse::<Map>(&get(&manifest.config.digest)?)?;
        let diff_ids = diff_ids(&config)?;
        if diff_ids.len() != manifest.layers.len() {
            return Err("its configuration tells of other layers than it has".into());
        }
        let layers = manifest.layers.iter().zip(diff_ids).map(|(layer, diff_id)| {
            let media_type = media::layer(&layer.media_type);
            let unknown = || format!("it has a layer of the kind {}", layer.media_type);
            let media_type = media_type.ok_or_else(unknown)?;
            let (digest, bytes) = (layer.digest.clone(), get(&layer.digest)?);
            Ok(Layer { blob: Blob { media_type, digest, bytes }, diff_id })
        });
        Self::new(config, layers.collect::<Result<_, Refusal>>()?)
    }

    /// An image whose entry point is where the platform looks for it.
    fn new(mut config: Map, layers: Vec<Layer>) -> Result<Self, Refusal> {
        let text = |config: &Map, name: &str| config.get(name)?.as_str().map(str::to_owned);
        let name = text(&config, "architecture").unwrap_or_default();
        let is_linux = text(&config, "os").is_some_and(|os| os == "linux");
        let architecture = Architecture::named(&name).filter(|_| is_linux);
        let architecture =
            architecture.ok_or("it is not for Linux on amd64 or arm64".to_owned())?;
        let container = config.entry("config").or_insert_with(|| json!({}));
        let variables = container["Env"].as_array().into_iter().flatten();
        let entrypoint = variables
            .filter_map(|variable| variable.as_str()?.strip_prefix("AIRBYTE_ENTRYPOINT="))
            .find(|entrypoint| !entrypoint.trim().is_empty())
            .ok_or("it sets no AIRBYTE_ENTRYPOINT, so the platform could not start it")?;
        let words: Vec<_> = entrypoint.split_whitespace().collect();
        container["Entrypoint"] = json!(words);
        if let Some(container) = container.as_object_mut() {
            container.shift_remove("Cmd");
        }
        Ok(Self { architecture, config, layers, bill: None })
    }
}

/// A layout or an archive of `docker save`.
enum Store {
    Folder(PathBuf),
    Archive(HashMap<String, Bytes>),
}

/// An image in an archive of Docker before it knew layouts.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

impl Store {
    fn open(file: &Path) -> Result<Self, ImageError> {
        let unreadable = |reason| ImageError::Read { file: file.to_owned(), reason };
        let mut archive = tar::Archive::new(fs::File::open(file).map_err(unreadable)?);
        let mut files = HashMap::new();
        for entry in archive.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            if entry.header().entry_type().is_file() {
                let path = entry.path().map_err(unreadable)?;
                let path = path.to_string_lossy().trim_start_matches("./").to_owned();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(unreadable)?;
                files.insert(path, bytes.into());
            }
        }
        Ok(Self::Archive(files))
    }

    fn get(&self, path: &str) -> Option<Bytes> {
        match self {
            Self::Folder(folder) => read(&folder.join(path)).ok().map(Bytes::from),
            Self::Archive(files) => files.get(path).cloned(),
        }
    }

    fn blob(&self, digest: &Digest) -> Result<Bytes, Refusal> {
        let bytes = self.get(&format!("blobs/sha256/{}", digest.hex()));
        checked(digest, bytes.ok_or_else(|| format!("{digest} is missing"))?)
    }

    fn bases(&self, cache: &Cache) -> Result<Vec<Base>, Refusal> {
        if let Some(index) = self.get("index.json") {
            let index: Index = parse(&index)?;
            let images = index.manifests.iter().filter(|it| it.artifact_type.is_none());
            let images: Vec<_> = images.collect();
            let [image] = images[..] else {
                return Err(format!("it holds {} images, and only one can be meant", images.len()));
            };
            let root = self.blob(&image.digest)?;
            let manifests: Vec<Manifest> = match listed(&root)? {
                None => vec![parse(&root)?],
                Some(descriptors) => descriptors
                    .iter()
                    .map(|descriptor| parse(&self.blob(&descriptor.digest)?))
                    .collect::<Result<_, _>>()?,
            };
            let bases = manifests.iter().map(|it| Base::of(it, |digest| self.blob(digest)));
            return at_least_one(bases.collect::<Result<_, _>>()?);
        }
        let saved = self.get("manifest.json");
        let saved: Vec<Saved> =
            parse(&saved.ok_or("it is neither an OCI layout nor an archive of `docker save`")?)?;
        let [saved] = &saved[..] else {
            return Err(format!("it holds {} images, and only one can be meant", saved.len()));
        };
        let get = |path: &str| self.get(path).ok_or_else(|| format!("{path} is missing"));
        let config: Map = parse(&get(&saved.config)?)?;
        let layers = saved.layers.iter().zip(diff_ids(&config)?).map(|(path, diff_id)| {
            let bytes = get(path)?;
            if bytes.starts_with(b"\x1f\x8b") {
                return Ok(Layer { blob: Blob::new(media::GZIP_LAYER, bytes), diff_id });
            }
            let layer = cache.compressed(&bytes);
            let is_right = layer.diff_id == diff_id;
            is_right.then_some(layer).ok_or_else(|| format!("{path} is not what it should be"))
        });
        Ok(vec![Base::new(config, layers.collect::<Result<_, Refusal>>()?)?])
    }
}

fn refused(base: &impl ToString, reason: Refusal) -> ImageError {
    ImageError::Base { base: base.to_string(), reason }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|err| format!("one of its documents is broken: {err}"))
}

fn checked(digest: &Digest, bytes: Bytes) -> Result<Bytes, Refusal> {
    let is_right = Digest::of(&bytes) == *digest;
    is_right.then_some(bytes).ok_or_else(|| format!("{digest} has another content"))
}

fn at_least_one(bases: Vec<Base>) -> Result<Vec<Base>, Refusal> {
    let none = || "it is for none of the machines that connectors run on".to_owned();
    (!bases.is_empty()).then_some(bases).ok_or_else(none)
}

/// The manifests for our machines that an index lists; nothing of a document that is a manifest.
fn listed(document: &[u8]) -> Result<Option<Vec<Descriptor>>, Refusal> {
    if !parse::<Map>(document)?.contains_key("manifests") {
        return Ok(None);
    }
    let index: Index = parse(document)?;
    let ours = index.manifests.into_iter().filter(|it| it.architecture().is_some());
    Ok(Some(ours.collect()))
}

fn diff_ids(config: &Map) -> Result<Vec<Digest>, Refusal> {
    let ids = config.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids"));
    let ids = ids.and_then(|ids| serde_json::from_value(ids.clone()).ok());
    ids.ok_or_else(|| "its configuration tells of no layers".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// An archive with an image of `config` and no layers, as older Dockers wrote it.
    fn saved(config: &Value) -> Store {
        let list = json!([{"Config": "config.json", "RepoTags": ["x:1"], "Layers": []}]);
        let files = [("manifest.json", &list), ("config.json", config)];
        let files = files.map(|(name, json)| (name.to_owned(), Bytes::from(json.to_string())));
        Store::Archive(HashMap::from(files))
    }

    fn runtime() -> Value {
        json!({
            "architecture": "arm64",
            "os": "linux",
            "config": {"Env": ["A=1", "AIRBYTE_ENTRYPOINT=python /a/main.py"], "Cmd": ["x"]},
            "rootfs": {"type": "layers", "diff_ids": []},
        })
    }

    /// `change` is a part of the configuration and what stands there in place of the right thing.
    #[track_caller]
    fn check_refused(change: (&str, Value), expect: &str) {
        let mut config = runtime();
        *config.pointer_mut(change.0).unwrap() = change.1;
        let refusal = saved(&config).bases(&Cache::new(None)).unwrap_err();
        assert_eq!(refusal, expect);
    }

    #[test]
    fn the_entry_point_is_what_the_platform_starts() {
        let [base] = &saved(&runtime()).bases(&Cache::new(None)).unwrap()[..] else { panic!() };
        assert_eq!(base.architecture, Architecture::Arm64);
        let container = &base.config["config"];
        assert_eq!(container["Entrypoint"], json!(["python", "/a/main.py"]));
        assert_eq!(container.get("Cmd"), None);
    }

    #[test]
    fn what_the_platform_could_not_start_is_refused() {
        let expect = "it sets no AIRBYTE_ENTRYPOINT, so the platform could not start it";
        check_refused(("/config/Env", json!(["AIRBYTE_ENTRYPOINT="])), expect);
        check_refused(("/config", json!({})), expect);
        let expect = "it is not for Linux on amd64 or arm64";
        check_refused(("/architecture", json!("s390x")), expect);
        check_refused(("/os", json!("windows")), expect);
        let expect = "its configuration tells of no layers";
        check_refused(("/rootfs", Value::Null), expect);
    }

    #[test]
    fn a_layout_is_read_with_care() {
        let digest = Digest::of(b"{}");
        let manifest = json!({"digest": digest, "size": 2});
        let refusal = |index: &Value, blob: &'static [u8]| {
            let files = HashMap::from([
                ("index.json".to_owned(), Bytes::from(index.to_string())),
                (format!("blobs/sha256/{}", digest.hex()), Bytes::from_static(blob)),
            ]);
            Store::Archive(files).bases(&Cache::new(None)).unwrap_err()
        };
        let index = |manifests: &[&Value]| json!({"schemaVersion": 2, "manifests": manifests});
        let two = refusal(&index(&[&manifest, &manifest]), b"{}");
        assert_eq!(two, "it holds 2 images, and only one can be meant");
        let changed = refusal(&index(&[&manifest]), b"[]");
        assert_eq!(changed, format!("{digest} has another content"));
        let broken = refusal(&index(&[&manifest]), b"{}");
        assert!(broken.starts_with("one of its documents is broken: missing field"), "{broken}");
    }
}
