//! The documents that images are made of, as the OCI image specification has them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest::{Blob, Digest};
use super::platform::Architecture;

/// Kinds of content.
pub(super) mod media {
    pub(in crate::image) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    pub(in crate::image) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    pub(in crate::image) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    pub(in crate::image) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    pub(in crate::image) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
    pub(in crate::image) const GZIP_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
    pub(in crate::image) const ZSTD_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
    pub(in crate::image) const CYCLONE_DX: &str = "application/vnd.cyclonedx+json";
    /// What Docker called the same before there was a specification.
    pub(in crate::image) const DOCKER_MANIFEST: &str =
        "application/vnd.docker.distribution.manifest.v2+json";
    pub(in crate::image) const DOCKER_INDEX: &str =
        "application/vnd.docker.distribution.manifest.list.v2+json";

    /// Our name of a kind of layer; nothing for those that may not be passed on.
    pub(in crate::image) fn layer(media_type: &str) -> Option<&'static str> {
        match media_type {
            GZIP_LAYER | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Some(GZIP_LAYER),
            ZSTD_LAYER | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Some(ZSTD_LAYER),
            LAYER | "application/vnd.docker.image.rootfs.diff.tar" => Some(LAYER),
            _ => None,
        }
    }
}

pub(super) type Annotations = BTreeMap<String, String>;

/// Points to content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is; old archives do not say.
    #[serde(default)]
    pub media_type: String,
    /// Its address.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// What an artifact is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The machine that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A kind of machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The processor: `amd64`.
    pub architecture: String,
    /// The kernel: `linux`.
    pub os: String,
}

/// An image for one machine, or an artifact.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) schema_version: u8,
    #[serde(default)]
    pub(super) media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: Annotations,
}

/// A list of manifests: of one image for several machines, of a layout, or of what refers to an image.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    pub(super) schema_version: u8,
    #[serde(default)]
    pub(super) media_type: String,
    pub(super) manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: Annotations,
}

impl Manifest {
    pub(super) fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: media::MANIFEST.to_owned(),
            artifact_type: None,
            config,
            layers,
            subject: None,
            annotations: Annotations::new(),
        }
    }
}

impl Index {
    pub(super) fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: media::INDEX.to_owned(),
            manifests,
            annotations: Annotations::new(),
        }
    }
}

impl Blob {
    /// Points to it.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type.to_owned(),
            digest: self.digest.clone(),
            size: self.bytes.len() as u64,
            artifact_type: None,
            platform: None,
            annotations: Annotations::new(),
        }
    }
}

impl Descriptor {
    /// The architecture of an image for Linux that connectors run on.
    pub(super) fn architecture(&self) -> Option<Architecture> {
        let platform = self.platform.as_ref().filter(|platform| platform.os == "linux")?;
        Architecture::named(&platform.architecture)
    }

    pub(super) fn for_machine(self, architecture: Architecture) -> Self {
        let (architecture, os) = (architecture.name().to_owned(), "linux".to_owned());
        Self { platform: Some(Platform { architecture, os }), ..self }
    }
}
