//! Which YAML `type` is built by which file: the one file that knows all families.

use super::slot::Registry;
use super::{check, resolver, stream};

/// All families with their members.
pub static REGISTRY: Registry = Registry {
    families: &[
        ("stream", stream::MEMBERS),
        ("components resolver", resolver::MEMBERS),
        ("check", check::MEMBERS),
    ],
};
