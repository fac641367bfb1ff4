//! Pushing: what the registry does not have yet, and the names last.

use bytes::Bytes;

use super::{Ask, Registry, located, reason};
use crate::http::Method;
use crate::image::digest::{Blob, Digest};
use crate::image::documents::{Descriptor, Index, media};
use crate::image::error::ImageError;
use crate::image::image::{Artifact, Image, PlatformImage};
use crate::image::reference::Reference;

/// What a push did.
#[derive(Debug, Default)]
pub struct Pushed {
    /// Blobs that were sent.
    pub n_sent: usize,
    /// Blobs that the registry had already.
    pub n_present: usize,
    /// Why the registry does not take what refers to the image; the image itself is there.
    pub unattached: Option<ImageError>,
}

impl Registry {
    /// Pushes an image, and what refers to it.
    pub async fn push(&self, image: &Image) -> Result<Pushed, ImageError> {
        let mut pushed = Pushed::default();
        for platform in &image.platforms {
            for blob in platform.blobs() {
                self.push_blob(blob, &mut pushed).await?;
            }
        }
        if image.index.is_some() {
            for platform in &image.platforms {
                self.push_manifest(&platform.manifest, &platform.manifest.digest.to_string())
                    .await?;
            }
        }
        self.push_manifest(image.root(), &image.reference.name_of_manifest()).await?;
        for (platform, artifact) in image.artifacts() {
            match self.push_artifact(platform, artifact, &mut pushed).await {
                Err(err @ (ImageError::TagRefused { .. } | ImageError::Answer { .. })) => {
                    pushed.unattached = Some(err);
                }
                attached => attached?,
            }
        }
        Ok(pushed)
    }

    async fn push_blob(&self, blob: &Blob, pushed: &mut Pushed) -> Result<(), ImageError> {
        let path = self.path(&format!("blobs/{}", blob.digest));
        let head = self.ask(Ask::new(Method::HEAD, path)).await?;
        if head.status == 200 {
            pushed.n_present += 1;
            return Ok(());
        }
        self.expect(head, &[404], "tell whether it has a layer")?;
        let what = "take a layer";
        let start = self.ask(Ask::new(Method::POST, self.path("blobs/uploads/"))).await?;
        let start = self.expect(start, &[202], what)?;
        let location = located(&start).ok_or_else(|| self.answer(&start, what))?;
        let separator = if location.contains('?') { '&' } else { '?' };
        let put = Ask::new(Method::PUT, format!("{location}{separator}digest={}", blob.digest))
            .with("Content-Type", "application/octet-stream")
            .body(blob.bytes.clone());
        let response = self.ask(put).await?;
        self.expect(response, &[201], what)?;
        pushed.n_sent += 1;
        Ok(())
    }

    /// Puts a manifest under `name`; tells whether the registry took notice of what it refers to.
    async fn push_manifest(&self, manifest: &Blob, name: &str) -> Result<bool, ImageError> {
        let path = self.path(&format!("manifests/{name}"));
        let put = Ask::new(Method::PUT, path)
            .with("Content-Type", manifest.media_type)
            .body(manifest.bytes.clone());
        let response = self.ask(put).await?;
        if matches!(response.status, 400 | 405 | 409 | 412 | 422) {
            let digest = Digest::try_from(name.to_owned()).ok();
            let tag = digest.is_none().then(|| name.to_owned());
            let reference = Box::new(Reference { tag, digest, ..self.reference.clone() });
            return Err(ImageError::TagRefused { reference, reason: reason(&response) });
        }
        let response = self.expect(response, &[200, 201], "take the image")?;
        Ok(response.headers.contains("OCI-Subject"))
    }

    async fn push_artifact(
        &self,
        platform: &PlatformImage,
        artifact: &Artifact,
        pushed: &mut Pushed,
    ) -> Result<(), ImageError> {
        for blob in artifact.blobs() {
            self.push_blob(blob, pushed).await?;
        }
        let digest = artifact.manifest.digest.to_string();
        if self.push_manifest(&artifact.manifest, &digest).await? {
            return Ok(());
        }
        // Older registries do not look what refers to what; then a tag lists it, by the
        // specification's fallback.
        let name = format!("sha256-{}", platform.manifest.digest.hex());
        let mut known = match self.manifest(&name).await {
            Ok(index) => listed(&index),
            Err(ImageError::NotFound(_)) => Vec::new(),
            Err(err) => return Err(err),
        };
        if known.iter().any(|it| it.digest == artifact.manifest.digest) {
            return Ok(());
        }
        known.push(artifact.descriptor());
        let index = Blob::json(media::INDEX, &Index::new(known));
        self.push_manifest(&index, &name).await.map(drop)
    }
}

/// What an index lists; something else under its name is replaced.
fn listed(index: &Bytes) -> Vec<Descriptor> {
    serde_json::from_slice::<Index>(index).map_or_else(|_| Vec::new(), |index| index.manifests)
}
