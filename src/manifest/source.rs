//! The text of a manifest, and the file it is in.

use std::sync::Arc;

/// A manifest as it was written.
#[derive(Clone, Debug)]
pub struct Source {
    /// What messages call it; mostly the file's path.
    pub name: String,
    pub text: Arc<str>,
}

impl Source {
    /// A manifest that is in memory already.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}
