//! Where an image is written: a folder or an archive, both of them OCI layouts.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::json;

use super::digest::Blob;
use super::documents::{Descriptor, Index, media};
use super::error::ImageError;
use super::image::{Artifact, Image};
use super::layer::{Owner, Tree};

/// Marks a folder as a layout.
const MARK: &str = "oci-layout";
const MARK_TEXT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

impl Image {
    /// Writes an archive that `docker load`, `podman load`, and all that reads OCI archives take.
    pub fn write_archive(&self, file: &Path) -> Result<(), ImageError> {
        let failed = |reason| ImageError::Write { file: file.to_owned(), reason };
        let out = File::create(file).map_err(failed)?;
        self.write_archive_to(out).map_err(failed)
    }

    /// Writes the same into something that is open.
    pub fn write_archive_to(&self, out: impl Write) -> io::Result<()> {
        let mut tree = Tree::default();
        tree.folder("blobs", Owner::Root, 0o755);
        tree.folder("blobs/sha256", Owner::Root, 0o755);
        for blob in self.blobs().values() {
            tree.file(&path(blob), Owner::Root, 0o644, blob.bytes.clone());
        }
        // What refers to the image stays out: readers of archives want exactly one image.
        let index = Blob::json(media::INDEX, &Index::new(vec![self.named()]));
        tree.file("index.json", Owner::Root, 0o644, index.bytes);
        tree.file("manifest.json", Owner::Root, 0o644, self.docker_manifest());
        tree.file(MARK, Owner::Root, 0o644, MARK_TEXT);
        let mut out = BufWriter::new(out);
        tree.write(0, &mut out)?;
        out.flush()
    }

    /// Writes a layout into `folder`, with what refers to the image; one that is there is replaced.
    pub fn write_layout(&self, folder: &Path) -> Result<(), ImageError> {
        let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
        if !is_empty && !folder.join(MARK).is_file() {
            return Err(ImageError::NoLayout(folder.to_owned()));
        }
        let blobs = folder.join("blobs/sha256");
        let failed = |file: &Path| {
            let file = file.to_owned();
            move |reason| ImageError::Write { file, reason }
        };
        fs::create_dir_all(&blobs).map_err(failed(&blobs))?;
        let write = |name: &str, bytes: &[u8]| {
            let file = folder.join(name);
            fs::write(&file, bytes).map_err(failed(&file))
        };
        let artifacts = || self.artifacts().map(|(_, artifact)| artifact);
        let attached = artifacts().flat_map(|it| it.blobs().into_iter().chain([&it.manifest]));
        for blob in self.blobs().into_values().chain(attached) {
            write(&path(blob), &blob.bytes)?;
        }
        let refer = artifacts().map(Artifact::descriptor);
        let index = Index::new([self.named()].into_iter().chain(refer).collect());
        write(MARK, MARK_TEXT.as_bytes())?;
        write("index.json", &Blob::json(media::INDEX, &index).bytes)
    }

    /// Points to the image by its name.
    fn named(&self) -> Descriptor {
        let mut descriptor = match &self.index {
            Some(index) => index.descriptor(),
            None => self.platforms[0].descriptor(),
        };
        let tag = self.reference.tag.clone().unwrap_or_default();
        descriptor.annotations = [
            ("io.containerd.image.name".to_owned(), self.reference.full()),
            ("org.opencontainers.image.ref.name".to_owned(), tag),
        ]
        .into();
        descriptor
    }

    /// What older Dockers read: they know one image of a name, so it is that for the first machine.
    fn docker_manifest(&self) -> String {
        let platform = &self.platforms[0];
        let layers: Vec<_> = platform.layers.iter().map(|layer| path(&layer.blob)).collect();
        let name = self.reference.to_string();
        json!([{"Config": path(&platform.config), "RepoTags": [name], "Layers": layers}])
            .to_string()
    }
}

/// Where a blob is in a layout.
fn path(blob: &Blob) -> String {
    format!("blobs/sha256/{}", blob.digest.hex())
}
