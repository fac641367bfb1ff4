//! Layers: files as a tar, compressed; the same files always make the same bytes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::digest::{Blob, Digest};
use super::documents::media;

/// A layer of an image.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What is kept and sent.
    pub blob: Blob,
    /// The address of the tar in it.
    pub diff_id: Digest,
}

impl Layer {
    /// Compresses `tar`, whose address is `diff_id`.
    pub(super) fn compress(tar: &[u8], diff_id: Digest) -> Self {
        // No name, no time, and no operating system in the header.
        let mut gzip = GzBuilder::new()
            .mtime(0)
            .operating_system(255)
            .write(Vec::with_capacity(tar.len() / 2), Compression::default());
        // Writing to memory cannot fail.
        let _ = gzip.write_all(tar);
        let bytes = gzip.finish().unwrap_or_default();
        Self { blob: Blob::new(media::GZIP_LAYER, bytes), diff_id }
    }
}

/// Files and folders by their path, `usr/bin/env`; each stands behind its folder.
#[derive(Clone, Debug, Default)]
pub struct Tree(BTreeMap<String, Entry>);

/// Whose a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// User and group 0.
    Root,
    /// User and group 1000, who the platform runs connectors as.
    Airbyte,
}

#[derive(Clone, Debug)]
struct Entry {
    mode: u32,
    owner: Owner,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Folder,
    File(Bytes),
    /// A symbolic link to this path.
    Link(String),
}

impl Tree {
    /// Adds a folder.
    pub fn folder(&mut self, path: &str, owner: Owner, mode: u32) {
        self.add(path, Entry { mode, owner, content: Content::Folder });
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, owner: Owner, mode: u32, bytes: impl Into<Bytes>) {
        self.add(path, Entry { mode, owner, content: Content::File(bytes.into()) });
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: impl Into<String>) {
        let content = Content::Link(target.into());
        self.add(path, Entry { mode: 0o777, owner: Owner::Root, content });
    }

    fn add(&mut self, path: &str, entry: Entry) {
        self.0.insert(path.to_owned(), entry);
    }

    /// Writes it as a tar in which everything is of the time `mtime`, in seconds of Unix.
    pub fn write(&self, mtime: u64, out: impl Write) -> io::Result<()> {
        let mut tar = Builder::new(out);
        for (path, entry) in &self.0 {
            let id = match entry.owner {
                Owner::Root => 0,
                Owner::Airbyte => 1000,
            };
            let mut header = Header::new_ustar();
            header.set_mode(entry.mode);
            header.set_uid(id);
            header.set_gid(id);
            header.set_mtime(mtime);
            header.set_size(0);
            match &entry.content {
                Content::Folder => {
                    header.set_entry_type(EntryType::Directory);
                    tar.append_data(&mut header, format!("{path}/"), io::empty())?;
                }
                Content::File(bytes) => {
                    header.set_entry_type(EntryType::Regular);
                    header.set_size(bytes.len() as u64);
                    tar.append_data(&mut header, path, &bytes[..])?;
                }
                Content::Link(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    tar.append_link(&mut header, path, target)?;
                }
            }
        }
        tar.into_inner().map(drop)
    }

    /// It as a tar in memory.
    pub(super) fn to_tar(&self, mtime: u64) -> Vec<u8> {
        let sizes = self.0.values().map(|entry| match &entry.content {
            Content::File(bytes) => bytes.len(),
            Content::Folder | Content::Link(_) => 0,
        });
        // Each entry has a header, and is filled up to whole blocks of 512 bytes.
        let mut tar = Vec::with_capacity(sizes.sum::<usize>() + 1024 * (self.0.len() + 1));
        // Only a path of more than 255 letters cannot be written, and ours are fixed.
        let _ = self.write(mtime, &mut tar);
        tar
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    fn example() -> Tree {
        let mut tree = Tree::default();
        tree.file("etc/passwd", Owner::Root, 0o644, "root");
        tree.folder("etc", Owner::Root, 0o755);
        tree.link("etc/alias", "/etc/passwd");
        tree.file("airbyte/x", Owner::Airbyte, 0o600, "");
        tree
    }

    #[test]
    fn a_tar_has_its_entries_in_order() {
        let tar = example().to_tar(7);
        let mut archive = tar::Archive::new(&tar[..]);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), 7);
            let link = entry.link_name().unwrap().map(|it| it.display().to_string());
            let path = entry.path().unwrap().display().to_string();
            let mode = header.mode().unwrap();
            format!("{path} {mode:o} {} {:?}", header.uid().unwrap(), link.unwrap_or_default())
        });
        let expect = [
            "airbyte/x 600 1000 \"\"",
            "etc/ 755 0 \"\"",
            "etc/alias 777 0 \"/etc/passwd\"",
            "etc/passwd 644 0 \"\"",
        ];
        assert_eq!(entries.collect::<Vec<_>>(), expect);
    }

    proptest! {
        #[test]
        fn the_same_files_make_the_same_bytes(files in proptest::collection::btree_map("[a-z]{1,8}(/[a-z]{1,8}){0,3}", ".{0,50}", 0..8), seed: u64) {
            let mut shuffled: Vec<_> = files.iter().collect();
            shuffled.sort_by_key(|(path, _)| Digest::of(format!("{path}{seed}").as_bytes()));
            let layer = |files: Vec<(&String, &String)>| {
                let mut tree = Tree::default();
                for (path, text) in files {
                    tree.file(path, Owner::Root, 0o644, text.clone());
                }
                let tar = tree.to_tar(0);
                (Layer::compress(&tar, Digest::of(&tar)), tar)
            };
            let (one, tar) = layer(files.iter().collect());
            let (other, _) = layer(shuffled);
            prop_assert_eq!(&one.blob, &other.blob);
            let mut inflated = Vec::new();
            GzDecoder::new(&one.blob.bytes[..]).read_to_end(&mut inflated).unwrap();
            prop_assert_eq!(inflated, tar);
        }
    }
}
