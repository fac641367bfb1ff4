//! The text of a manifest, and the file it is in.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// The largest manifest that is read, in bytes.
pub(super) const MAX_SIZE: usize = 64 << 20;

/// A manifest as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What messages call it; mostly the file's path.
    pub name: String,
    pub text: Arc<str>,
}

/// Why a file cannot be a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("Failed to load manifest file from {name}: {error}")]
    Unreadable { name: String, error: io::Error },
    #[error("Failed to load manifest file from {name}: it has more than {} MiB", MAX_SIZE >> 20)]
    TooLarge { name: String },
    #[error("Failed to load manifest file from {name}: it is not UTF-8 from byte {offset} on")]
    NotText { name: String, offset: usize },
}

impl Source {
    /// A manifest that is in memory already.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Reads the file of a manifest.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let read = File::open(path)
            .and_then(|file| file.take(MAX_SIZE as u64 + 1).read_to_end(&mut bytes));
        match read {
            Err(error) => return Err(ReadError::Unreadable { name, error }),
            Ok(n_bytes) if n_bytes > MAX_SIZE => return Err(ReadError::TooLarge { name }),
            Ok(_) => {}
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(name, text)),
            Err(error) => {
                Err(ReadError::NotText { name, offset: error.utf8_error().valid_up_to() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[track_caller]
    fn check(content: &[u8], expect: Result<&str, &str>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        let source = Source::read(file.path()).map(|source| source.text.to_string());
        let source = source
            .map_err(|error| error.to_string().replace(&file.path().display().to_string(), "FILE"));
        assert_eq!(source, expect.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn files_are_text() {
        check("é: 1".as_bytes(), Ok("é: 1"));
        check(b"a: 1\n\xff", {
            Err("Failed to load manifest file from FILE: it is not UTF-8 from byte 5 on")
        });
    }

    #[test]
    fn a_file_may_be_too_large() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // It has no content on the disk, and is not read beyond the limit.
        file.as_file().set_len(1 << 40).unwrap();
        let error = Source::read(file.path()).unwrap_err().to_string();
        assert!(error.ends_with("it has more than 64 MiB"), "{error}");
    }

    #[test]
    fn a_missing_file_is_told_with_its_name() {
        let error = Source::read(Path::new("/no/such/manifest.yaml")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Failed to load manifest file from /no/such/manifest.yaml: No such file or directory (os error 2)"
        );
    }
}
