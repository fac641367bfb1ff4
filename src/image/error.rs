//! What can go wrong between a manifest and an image.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::executable::NotStandalone;
use super::platform::Architecture;
use super::reference::Reference;
use crate::http::{ErrorKind, HttpError};

/// Why an image could not be made, written, or pushed; each a sentence for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A file cannot be read.
    #[error("cannot read {}: {}", file.display(), plain(reason))]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {}", file.display(), plain(reason))]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The name of an image that none can have.
    #[error("`{text}` cannot name an image: {reason}")]
    Reference {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The name of an image that does not say of which version the connector is.
    #[error("the image needs a version in its name: `{0}:1.0.0`")]
    NoVersion(Box<Reference>),
    /// A file cannot be a program of an image.
    #[error("{} cannot be put into an image: {reason}", file.display())]
    Program {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: NotStandalone,
    },
    /// The program that runs is none for an image.
    #[error(
        "this program cannot be put into an image: {0}; name a static build of it with `--binary \
         FILE`, or build on an image that has one with `--base IMAGE`"
    )]
    OwnProgram(NotStandalone),
    /// Two programs for one machine.
    #[error("two programs were given for {0}")]
    Twice(Architecture),
    /// There is no shell for the platform's launch script.
    #[error(
        "the platform starts connectors with a shell, and there is no static busybox for {0} to \
         be one; name one with `--busybox FILE` (Debian and Ubuntu: apt-get install \
         busybox-static), or build on an image that has a shell with `--base IMAGE`"
    )]
    NoShell(Architecture),
    /// The image to build on cannot be used.
    #[error("cannot build on {base}: {reason}")]
    Base {
        /// What was given.
        base: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The folder for a layout holds something else.
    #[error("{} is no OCI layout and not empty: nothing was written", .0.display())]
    NoLayout(PathBuf),
    /// The configuration of Docker cannot be understood.
    #[error("{} is no configuration of Docker: {reason}", file.display())]
    DockerConfig {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A program that keeps credentials failed.
    #[error("{program}, which {} names, gives no credentials: {reason}", file.display())]
    Helper {
        /// The program.
        program: String,
        /// The configuration that names it.
        file: PathBuf,
        /// What it said.
        reason: String,
    },
    /// A registry does not answer.
    #[error("the registry {host} cannot be reached: {}", unreachable(reason))]
    Unreachable {
        /// The registry.
        host: String,
        /// What happened.
        reason: HttpError,
    },
    /// A registry wants to know who we are, and we do not.
    #[error(
        "the registry {host} wants a login, and {} has none for it; `docker login {host}` makes one",
        file.display()
    )]
    NoLogin {
        /// The registry.
        host: String,
        /// Where a login would be.
        file: PathBuf,
    },
    /// A registry does not believe us.
    #[error(
        "the registry {host} refuses the name or the password of `{user}` from {}; `docker login \
         {host}` renews them",
        file.display()
    )]
    WrongLogin {
        /// The registry.
        host: String,
        /// Who we said we are.
        user: String,
        /// Where that stands.
        file: PathBuf,
    },
    /// A registry knows us, and does not let us.
    #[error("the registry {} does not permit {who} to {what} {}{}", reference.host, reference.repository, because(reason))]
    Forbidden {
        /// The image.
        reference: Box<Reference>,
        /// We.
        who: String,
        /// What we may not do: `push to`.
        what: &'static str,
        /// What the registry says.
        reason: String,
    },
    /// A registry does not have the image.
    #[error("the registry {} has no image {}", .0.host, .0.in_registry())]
    NotFound(Box<Reference>),
    /// A registry takes the blobs, but not the image under its name.
    #[error("the registry {} refuses {}{}", reference.host, reference.in_registry(), because(reason))]
    TagRefused {
        /// The image.
        reference: Box<Reference>,
        /// What the registry says.
        reason: String,
    },
    /// A registry answers what it should not.
    #[error("the registry {host} answered {status} when asked to {what}{}", because(reason))]
    Answer {
        /// The registry.
        host: String,
        /// The status code.
        status: u16,
        /// What it was asked for.
        what: &'static str,
        /// What it says.
        reason: String,
    },
}

/// The content of a file.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, ImageError> {
    fs::read(file).map_err(|reason| ImageError::Read { file: file.to_owned(), reason })
}

/// The reason without the number of the error.
fn plain(reason: &io::Error) -> String {
    let text = reason.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// What happened on the way to a registry; the messages of the library are for programmers.
fn unreachable(reason: &HttpError) -> &str {
    match reason.kind {
        ErrorKind::Connection => "there is no connection to it",
        ErrorKind::ConnectTimeout | ErrorKind::ReadTimeout => "it does not answer in time",
        ErrorKind::Ssl => {
            "its certificate is not trusted, or it speaks plain http (`--insecure-http`)"
        }
        ErrorKind::Proxy => "the proxy refuses",
        _ => &reason.message,
    }
}
