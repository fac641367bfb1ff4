//! What was compressed or fetched before: building on it again takes no time.
//!
//! The cache is a folder that may vanish at any time; what cannot be kept costs time only.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::digest::{Blob, Digest};
use super::documents::media;
use super::layer::Layer;

/// The length of the digest that a kept file begins with.
const PREFIX_LEN: usize = 64;

/// Layers by the address of their tar, and what registries gave by its own.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

impl Cache {
    /// The cache in `folder`; without one nothing is kept.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// The layer of `tar`, compressed now if it never was before.
    pub(super) fn compressed(&self, tar: &[u8]) -> Layer {
        let diff_id = Digest::of(tar);
        let file = self.file("layers", &diff_id);
        if let Some(blob) = file.as_deref().and_then(kept) {
            return Layer { blob, diff_id };
        }
        let layer = Layer::compress(tar, diff_id);
        if let Some(file) = file {
            keep(&file, &layer.blob.digest, &layer.blob.bytes);
        }
        layer
    }

    /// What was fetched from the address `digest`.
    pub(super) fn get(&self, digest: &Digest) -> Option<Bytes> {
        let blob = kept(&self.file("blobs", digest)?)?;
        (blob.digest == *digest).then_some(blob.bytes)
    }

    /// Keeps what was fetched from the address `digest`.
    pub(super) fn put(&self, digest: &Digest, bytes: &[u8]) {
        if let Some(file) = self.file("blobs", digest) {
            keep(&file, digest, bytes);
        }
    }

    fn file(&self, kind: &str, digest: &Digest) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(kind).join(digest.hex()))
    }
}

/// The content of a file behind its digest, if that fits.
fn kept(file: &Path) -> Option<Blob> {
    let bytes = Bytes::from(fs::read(file).ok()?);
    let prefix = bytes.get(..PREFIX_LEN)?;
    let blob = Blob::new(media::GZIP_LAYER, bytes.slice(PREFIX_LEN..));
    (blob.digest.hex().as_bytes() == prefix).then_some(blob)
}

/// Writes a file as a whole, or not at all.
fn keep(file: &Path, digest: &Digest, content: &[u8]) {
    let Some(folder) = file.parent() else { return };
    let write = || {
        fs::create_dir_all(folder)?;
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(digest.hex().as_bytes())?;
        new.write_all(content)?;
        new.persist(file).map_err(std::io::Error::from)
    };
    // Then it is compressed or fetched again next time.
    let _ = write();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().join("cache")));
        let tar = [7; 2048];
        let first = cache.compressed(&tar);
        let file = cache.file("layers", &first.diff_id).unwrap();
        assert_eq!(fs::read(&file).unwrap().len(), PREFIX_LEN + first.blob.bytes.len());
        assert_eq!(cache.compressed(&tar).blob, first.blob);

        // What is kept is taken, as its own digest says that it is whole.
        keep(&file, &Digest::of(b"other"), b"other");
        assert_eq!(cache.compressed(&tar).blob.bytes, "other");
        // What is broken is made anew.
        keep(&file, &Digest::of(b"other"), b"othe");
        assert_eq!(cache.compressed(&tar).blob, first.blob);
    }

    #[test]
    fn what_was_fetched_has_to_be_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path().to_owned()));
        let digest = Digest::of(b"content");
        assert_eq!(cache.get(&digest), None);
        cache.put(&digest, b"content");
        assert_eq!(cache.get(&digest).as_deref(), Some(&b"content"[..]));
        keep(&cache.file("blobs", &digest).unwrap(), &Digest::of(b"x"), b"x");
        assert_eq!(cache.get(&digest), None);
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let cache = Cache::new(None);
        cache.put(&Digest::of(b"x"), b"x");
        assert_eq!(cache.get(&Digest::of(b"x")), None);
        assert_eq!(cache.compressed(b"tar").diff_id, Digest::of(b"tar"));
    }
}
