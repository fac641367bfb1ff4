//! Transformations: changes made to each record, in place.
//!
//! - [`add_fields`]: `AddFields`, values that templates give;
//! - [`remove_fields`]: `RemoveFields`, what paths lead to, or what meets a condition;
//! - [`flatten_fields`]: `FlattenFields`, all levels become one;
//! - [`dpath_flatten_fields`]: `DpathFlattenFields`, the fields of one object move up;
//! - [`keys_to_lower`]: `KeysToLower`, names in lower case;
//! - [`keys_to_snake_case`]: `KeysToSnakeCase`, names as `words_like_these`;
//! - [`keys_replace`]: `KeysReplace`, other text in names.

pub mod add_fields;
pub mod dpath_flatten_fields;
pub mod flatten_fields;
pub mod keys_replace;
pub mod keys_to_lower;
pub mod keys_to_snake_case;
pub mod remove_fields;

use super::slot::Member;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<add_fields::yaml::AddFields>(),
    Member::of::<dpath_flatten_fields::yaml::DpathFlattenFields>(),
    Member::of::<flatten_fields::yaml::FlattenFields>(),
    Member::of::<keys_replace::yaml::KeysReplace>(),
    Member::of::<keys_to_lower::yaml::KeysToLower>(),
    Member::of::<keys_to_snake_case::yaml::KeysToSnakeCase>(),
    Member::of::<remove_fields::yaml::RemoveFields>(),
];
