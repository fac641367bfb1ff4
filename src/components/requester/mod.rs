//! Requesters: they compose requests and send them.
//!
//! - [`http`]: `HttpRequester`, whose requests are made of templates;
//! - [`body`]: `RequestBody…`, what stands in its `request_body`;
//! - [`query_properties`]: `QueryProperties`, the properties that it asks for;
//! - [`properties_from_endpoint`]: `PropertiesFromEndpoint`, those that the API says there are;
//! - [`json_schema_property_selector`]: `JsonSchemaPropertySelector`, those that are selected;
//! - [`property_chunking`]: `PropertyChunking`, several requests for many properties;
//! - [`group_by_key`]: `GroupByKeyMergeStrategy`, how the records of those find together.

pub mod body;
pub mod group_by_key;
pub mod http;
pub mod json_schema_property_selector;
mod options;
mod parameters;
pub mod properties_from_endpoint;
pub mod property_chunking;
pub mod query_properties;

use super::slot::Member;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[Member::of::<http::yaml::HttpRequester>()];
