//! Which YAML `type` is built by which file: the one file that knows all families.

use super::definitions::Definitions;
use super::shape::FieldValue;
use super::slot::Registry;
use super::source::yaml::DeclarativeSource;
use super::{
    auth, backoff, budget, check, config, cursor, custom, decoder, error_handler, extractor,
    pagination, partition, requester, resolver, retriever, schema, stream, transform,
};
use crate::value::Json;

/// All families with their members.
pub static REGISTRY: Registry = Registry {
    families: &[
        ("stream", stream::MEMBERS),
        ("retriever", retriever::MEMBERS),
        ("incremental sync", cursor::MEMBERS),
        ("state migration", cursor::MIGRATIONS),
        ("partition router", partition::MEMBERS),
        ("requester", requester::MEMBERS),
        ("authenticator", auth::MEMBERS),
        ("error handler", error_handler::MEMBERS),
        ("backoff strategy", backoff::MEMBERS),
        ("API budget", budget::MEMBERS),
        ("decoder", decoder::MEMBERS),
        ("record extractor", extractor::EXTRACTORS),
        ("record selector", extractor::SELECTORS),
        ("record filter", extractor::FILTERS),
        ("transformation", transform::MEMBERS),
        ("schema loader", schema::MEMBERS),
        ("paginator", pagination::PAGINATORS),
        ("pagination strategy", pagination::STRATEGIES),
        ("components resolver", resolver::MEMBERS),
        ("check", check::MEMBERS),
        ("config transformation", config::TRANSFORMATIONS),
        ("config validator", config::VALIDATORS),
        ("validation strategy", config::STRATEGIES),
    ],
    custom: custom::MEMBERS,
};

/// The JSON schema of manifests, as editors and forms want it.
pub fn manifest_schema() -> Json {
    let mut definitions = Definitions::default();
    DeclarativeSource::gather(&mut definitions);
    for (_, members) in REGISTRY.families.iter().chain(REGISTRY.custom) {
        members.iter().for_each(|member| member.gather(&mut definitions));
    }
    definitions.into_schema("DeclarativeSource", &REGISTRY)
}
