//! Connector images, made without a container engine.
//!
//! In a [`Workshop`] a [`Connector`] is laid as one layer on a [`Base`]: our own file system (program, shell,
//! certificates, users), or an image of a layout, an archive, or a [`Registry`]. The [`Image`]
//! that comes of it is written as a layout or an archive, or pushed. The same input makes the same
//! bytes; what takes long to compress lies in a [`Cache`].

mod base;
mod cache;
mod digest;
mod documents;
mod error;
mod executable;
#[expect(clippy::module_inception, reason = "what the room is about")]
mod image;
mod layer;
mod layout;
mod platform;
mod reference;
mod registry;
mod root;
mod sbom;
mod workshop;

pub use base::Base;
pub use cache::Cache;
pub use digest::{Blob, Digest};
pub use error::ImageError;
pub use executable::{Executable, NotStandalone};
pub use image::{Connector, Image};
pub use layer::{Layer, Tree};
pub use platform::Architecture;
pub use reference::Reference;
pub use registry::{Pushed, Registry};
pub use root::{MANIFEST, connector as connector_files};
pub use workshop::Workshop;
