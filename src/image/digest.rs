//! Content and its address.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The address of content: `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

const ALGORITHM: &str = "sha256:";

impl Digest {
    /// The address of `content`.
    pub fn of(content: &[u8]) -> Self {
        use fmt::Write;
        let mut text = ALGORITHM.to_owned();
        for byte in Sha256::digest(content) {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The digits alone: the name of a blob in a layout.
    pub fn hex(&self) -> &str {
        &self.0[ALGORITHM.len()..]
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
        match text.strip_prefix(ALGORITHM) {
            Some(hex) if hex.len() == 64 && hex.chars().all(is_digit) => Ok(Self(text)),
            _ => Err(format!("`{text}` is no digest: that is sha256: and 64 hexadecimal digits")),
        }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Content of a known kind with its address.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// What it is.
    pub media_type: &'static str,
    /// Its address.
    pub digest: Digest,
    /// The content.
    pub bytes: Bytes,
}

impl Blob {
    /// `bytes` with their address.
    pub fn new(media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { media_type, digest: Digest::of(&bytes), bytes }
    }

    /// A document as JSON.
    pub(super) fn json(media_type: &'static str, document: &impl Serialize) -> Self {
        // Our own documents have only texts as keys: they always can be written.
        Self::new(media_type, serde_json::to_vec(document).unwrap_or_default())
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.bytes.len();
        write!(f, "Blob({}, {}, {len} bytes)", self.media_type, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_has_an_address() {
        let digest = Digest::of(b"abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((digest.hex(), digest.to_string()), (hex, format!("sha256:{hex}")));
        assert_eq!(Digest::try_from(digest.to_string()), Ok(digest));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("sha256:{}", "A".repeat(64));
        for text in ["", "sha256:", "sha256:../../etc/passwd", "md5:00", &long] {
            assert!(Digest::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
