//! Where the JSON schema of a stream comes from.
//!
//! - [`inline`]: `InlineSchemaLoader`, from the manifest;
//! - [`json_file`]: `JsonFileSchemaLoader`, from a file beside it;
//! - [`dynamic`]: `DynamicSchemaLoader`, from what the API says about its fields
//!   ([`type_identifier`]: `SchemaTypeIdentifier`);
//! - [`merged`]: a list of loaders, whose properties are put together.

pub mod dynamic;
pub mod inline;
pub mod json_file;
pub mod merged;
pub mod type_identifier;

use super::slot::Member;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<dynamic::yaml::DynamicSchemaLoader>(),
    Member::of::<inline::yaml::InlineSchemaLoader>(),
    Member::of::<json_file::yaml::JsonFileSchemaLoader>(),
    Member::list::<merged::MergedSchema>(),
];
