//! Which YAML `type` is built by which file: the one file that knows all families.

use super::slot::Registry;
use super::{check, decoder, pagination, partition, resolver, retriever, stream, transform};

/// All families with their members.
pub static REGISTRY: Registry = Registry {
    families: &[
        ("stream", stream::MEMBERS),
        ("retriever", retriever::MEMBERS),
        ("partition router", partition::MEMBERS),
        ("decoder", decoder::MEMBERS),
        ("transformation", transform::MEMBERS),
        ("paginator", pagination::PAGINATORS),
        ("pagination strategy", pagination::STRATEGIES),
        ("components resolver", resolver::MEMBERS),
        ("check", check::MEMBERS),
    ],
};
