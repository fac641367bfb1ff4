//! What is done to a config, and what it has to fulfil, before it is used.
//!
//! - transformations: [`add_fields`], [`remap_field`], [`remove_fields`];
//! - validators: [`dpath_validator`], [`predicate_validator`], by the strategy of
//!   [`adheres_to_schema`].

pub mod add_fields;
pub mod adheres_to_schema;
pub mod dpath_validator;
pub mod predicate_validator;
pub mod remap_field;
pub mod remove_fields;

use super::slot::Member;

/// The transformations.
pub(super) const TRANSFORMATIONS: &[Member] = &[
    Member::of::<add_fields::yaml::ConfigAddFields>(),
    Member::of::<remap_field::yaml::ConfigRemapField>(),
    Member::of::<remove_fields::yaml::ConfigRemoveFields>(),
];

/// The validators.
pub(super) const VALIDATORS: &[Member] = &[
    Member::of::<dpath_validator::yaml::DpathValidator>(),
    Member::of::<predicate_validator::yaml::PredicateValidator>(),
];

/// The strategies of validators.
pub(super) const STRATEGIES: &[Member] =
    &[Member::of::<adheres_to_schema::yaml::ValidateAdheresToSchema>()];
