//! Encryption of what is secret in the database, with a key in a file beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Result, WorkspaceError};
use crate::run::RunContext;
use crate::value::Secret;

/// The first byte of what is sealed: how the rest is to be read. 1 is AES-256-GCM with the nonce
/// before the text.
const ENVELOPE: u8 = 1;
const KEY_LEN: usize = 32;

/// Seals texts, and opens them again; the key is made at first use.
#[derive(Debug)]
pub(super) struct Vault {
    file: PathBuf,
    run: RunContext,
}

impl Vault {
    pub(super) fn new(file: PathBuf, run: RunContext) -> Self {
        Self { file, run }
    }

    /// Seals a text; it can be opened only as that of the same owner.
    pub(super) fn seal(&self, owner: &str, text: &[u8]) -> Result<Vec<u8>> {
        let key = match self.key()? {
            Some(key) => key,
            None => self.make_key()?,
        };
        let mut nonce = [0; NONCE_LEN];
        self.run.fill_random(&mut nonce);
        let mut sealed = vec![ENVELOPE];
        sealed.extend(nonce);
        let mut content = text.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(owner),
            &mut content,
        )
        .map_err(|_| self.wrong())?;
        sealed.extend(content);
        Ok(sealed)
    }

    /// Opens what was sealed for the owner.
    pub(super) fn open(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let key = self.key()?.ok_or_else(|| self.wrong())?;
        let content = sealed.strip_prefix(&[ENVELOPE]).and_then(<[u8]>::split_first_chunk);
        let (nonce, content) = content.ok_or_else(|| self.wrong())?;
        let mut content = content.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let text = key.open_in_place(nonce, Aad::from(owner), &mut content);
        Ok(text.map_err(|_| self.wrong())?.to_vec())
    }

    fn key(&self) -> Result<Option<LessSafeKey>> {
        let text = match fs::read_to_string(&self.file) {
            Ok(text) => Secret::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unreadable(error)),
        };
        let bytes = BASE64_STANDARD.decode(text.expose().trim()).map_err(|_| self.wrong())?;
        self.usable(&bytes).map(Some)
    }

    fn usable(&self, bytes: &[u8]) -> Result<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, bytes);
        key.map(LessSafeKey::new).map_err(|_| self.wrong())
    }

    /// Makes a key, unless another program was faster. The file appears with its content.
    fn make_key(&self) -> Result<LessSafeKey> {
        let mut bytes = [0; KEY_LEN];
        self.run.fill_random(&mut bytes);
        let draft = self.file.with_extension(format!("{}.tmp", self.run.uuid()));
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let written = options.open(&draft).and_then(|mut file| {
            file.write_all(BASE64_STANDARD.encode(bytes).as_bytes())?;
            file.sync_all()?;
            fs::hard_link(&draft, &self.file)
        });
        // What is left of it harms nobody.
        let _ = fs::remove_file(&draft);
        match written {
            Ok(()) => self.usable(&bytes),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.key()?.ok_or_else(|| self.wrong())
            }
            Err(error) => Err(self.unreadable(error)),
        }
    }

    fn unreadable(&self, error: io::Error) -> WorkspaceError {
        WorkspaceError::Unreadable { file: self.file.clone(), error }
    }

    fn wrong(&self) -> WorkspaceError {
        WorkspaceError::WrongKey(self.file.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_for_its_owner_with_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("workspace.key");
        let vault = Vault::new(file.clone(), RunContext::system());
        assert!(vault.open("me", &[1; 40]).is_err());
        let sealed = vault.seal("me", b"hunter2").unwrap();
        assert_ne!(vault.seal("me", b"hunter2").unwrap(), sealed);
        assert_eq!(vault.open("me", &sealed).unwrap(), b"hunter2");
        assert!(!sealed.windows(7).any(|it| it == b"hunter2"));
        assert!(vault.open("you", &sealed).is_err());
        for changed in [0, 5, sealed.len() - 1] {
            let mut sealed = sealed.clone();
            sealed[changed] ^= 1;
            assert!(vault.open("me", &sealed).is_err());
        }
        assert!(vault.open("me", &[]).is_err());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&file, BASE64_STANDARD.encode([7; KEY_LEN])).unwrap();
        let error = vault.open("me", &sealed).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("is not the key that the testing values were encrypted with")
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
