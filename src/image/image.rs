//! An image: the layers of a base, and the connector on top.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::base::Base;
use super::cache::Cache;
use super::digest::{Blob, Digest};
use super::documents::{Annotations, Descriptor, Index, Manifest, media};
use super::layer::{Layer, Tree};
use super::platform::Architecture;
use super::reference::Reference;
use super::sbom::Bill;

/// What makes a base a connector's image.
#[derive(Debug)]
pub struct Connector {
    /// The name of the image, with a tag.
    pub reference: Reference,
    /// Its files, as [`super::connector_files`] lays them.
    pub files: Tree,
    /// When everything in the image was made.
    pub created: Timestamp,
}

/// A finished image, whose blobs all are at hand.
#[derive(Debug)]
pub struct Image {
    /// Its name.
    pub reference: Reference,
    /// One for each kind of machine.
    pub(super) platforms: Vec<PlatformImage>,
    /// Lists them, if there are several.
    pub(super) index: Option<Blob>,
}

/// The image for one kind of machine.
#[derive(Debug)]
pub(super) struct PlatformImage {
    pub(super) architecture: Architecture,
    pub(super) manifest: Blob,
    pub(super) config: Blob,
    pub(super) layers: Vec<Layer>,
    pub(super) bill: Option<Artifact>,
}

/// Something that refers to an image.
#[derive(Debug)]
pub(super) struct Artifact {
    pub(super) manifest: Blob,
    pub(super) empty: Blob,
    pub(super) content: Blob,
}

impl Connector {
    /// Builds the image on `bases`, one for each kind of machine.
    pub fn on(&self, mut bases: Vec<Base>, cache: &Cache) -> Image {
        let layer = cache.compressed(&self.files.to_tar(seconds(self.created)));
        bases.sort_by_key(|base| base.architecture);
        let platforms: Vec<_> =
            bases.into_iter().map(|base| self.on_one(base, layer.clone())).collect();
        let index = (platforms.len() > 1).then(|| {
            let manifests = platforms.iter().map(PlatformImage::descriptor).collect();
            let annotations = self.annotations();
            Blob::json(media::INDEX, &Index { annotations, ..Index::new(manifests) })
        });
        Image { reference: self.reference.clone(), platforms, index }
    }

    fn on_one(&self, base: Base, layer: Layer) -> PlatformImage {
        let mut config = base.config;
        config.insert("created".into(), self.created.to_string().into());
        let container = config.entry("config").or_insert_with(|| json!({}));
        let labels = &mut container["Labels"];
        if !labels.is_object() {
            *labels = json!({});
        }
        for (name, value) in self.annotations() {
            labels[name] = value.into();
        }
        labels["io.airbyte.name"] = self.reference.repository.clone().into();
        labels["io.airbyte.version"] = self.version().into();
        let mut layers = base.layers;
        layers.push(layer);
        let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.to_string()).collect();
        config.insert("rootfs".into(), json!({"type": "layers", "diff_ids": diff_ids}));
        let history = config.entry("history").or_insert_with(|| json!([]));
        if let Value::Array(history) = history {
            history.push(json!({"created": self.created.to_string(), "created_by": "source-declarative-manifest image build"}));
        }
        let config = Blob::json(media::CONFIG, &config);
        let descriptors = layers.iter().map(|layer| layer.blob.descriptor()).collect();
        let annotations = self.annotations();
        let manifest = Manifest { annotations, ..Manifest::new(config.descriptor(), descriptors) };
        let manifest = Blob::json(media::MANIFEST, &manifest);
        let bill = base.bill.map(|bill| self.attach(bill, &manifest));
        PlatformImage { architecture: base.architecture, manifest, config, layers, bill }
    }

    /// The bill of materials as something that refers to the image `manifest`.
    fn attach(&self, bill: Bill, manifest: &Blob) -> Artifact {
        let empty = Blob::new(media::EMPTY, &b"{}"[..]);
        let content = Blob::new(media::CYCLONE_DX, bill.bytes);
        let created = ("org.opencontainers.image.created".to_owned(), self.created.to_string());
        let artifact = Manifest {
            artifact_type: Some(media::CYCLONE_DX.to_owned()),
            subject: Some(manifest.descriptor()),
            annotations: Annotations::from([created]),
            ..Manifest::new(empty.descriptor(), vec![content.descriptor()])
        };
        Artifact { manifest: Blob::json(media::MANIFEST, &artifact), empty, content }
    }

    fn version(&self) -> &str {
        self.reference.tag.as_deref().unwrap_or_default()
    }

    fn annotations(&self) -> Annotations {
        let annotations = [
            ("title", self.reference.title().to_owned()),
            ("version", self.version().to_owned()),
            ("created", self.created.to_string()),
        ];
        let name = |(key, value)| (format!("org.opencontainers.image.{key}"), value);
        annotations.into_iter().map(name).collect()
    }
}

impl PlatformImage {
    pub(super) fn descriptor(&self) -> Descriptor {
        self.manifest.descriptor().for_machine(self.architecture)
    }

    /// Config and layers.
    pub(super) fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().map(|layer| &layer.blob).chain([&self.config])
    }
}

impl Artifact {
    pub(super) fn descriptor(&self) -> Descriptor {
        let artifact_type = Some(media::CYCLONE_DX.to_owned());
        Descriptor { artifact_type, ..self.manifest.descriptor() }
    }

    pub(super) fn blobs(&self) -> [&Blob; 2] {
        [&self.empty, &self.content]
    }
}

impl Image {
    /// What the name of the image stands for.
    pub(super) fn root(&self) -> &Blob {
        // A base always is for at least one machine.
        self.index.as_ref().unwrap_or_else(|| &self.platforms[0].manifest)
    }

    /// The address of the image.
    pub fn digest(&self) -> &Digest {
        &self.root().digest
    }

    /// The machines it is for.
    pub fn architectures(&self) -> Vec<Architecture> {
        self.platforms.iter().map(|platform| platform.architecture).collect()
    }

    /// Whether it comes with the list of what its program is made of.
    pub fn has_bill(&self) -> bool {
        self.platforms.iter().all(|platform| platform.bill.is_some())
    }

    /// The number of bytes of all that is sent, without what refers to the image.
    pub fn size(&self) -> u64 {
        self.blobs().values().map(|blob| blob.bytes.len() as u64).sum()
    }

    /// All that the image is made of, each once, by address.
    pub(super) fn blobs(&self) -> BTreeMap<&Digest, &Blob> {
        let manifests = self.platforms.iter().map(|platform| &platform.manifest);
        let blobs = self.platforms.iter().flat_map(PlatformImage::blobs);
        let all = manifests.chain(blobs).chain(&self.index);
        all.map(|blob| (&blob.digest, blob)).collect()
    }

    /// What refers to the images for each machine.
    pub(super) fn artifacts(&self) -> impl Iterator<Item = (&PlatformImage, &Artifact)> {
        self.platforms.iter().filter_map(|it| it.bill.as_ref().map(|bill| (it, bill)))
    }
}

/// A time as files have it.
pub(super) fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_second()).unwrap_or(0)
}
