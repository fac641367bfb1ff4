//! From elements to records: extracting, filtering, transforming, normalising.
//!
//! Extractors:
//! - [`dpath`]: `DpathExtractor`, what a path leads to;
//! - [`combined`]: `CombinedExtractor`, what several extractors find;
//! - [`response_to_file`]: `ResponseToFileExtractor`, rows of large CSV bodies.
//!
//! What is done to records:
//! - [`record_expander`]: `RecordExpander`, the items of a list inside a record instead of it;
//! - [`record_filter`]: `RecordFilter`, records that meet a condition;
//! - [`record_selector`]: `RecordSelector`, all of it in order, with [`normalization`] to the schema.

pub mod combined;
pub mod dpath;
pub mod normalization;
pub mod parent_field_path;
pub mod record_expander;
pub mod record_filter;
pub mod record_selector;
pub mod response_to_file;
mod truncation;

use super::slot::Member;

/// The members of the family of extractors.
pub(super) const EXTRACTORS: &[Member] = &[
    Member::of::<combined::yaml::CombinedExtractor>(),
    Member::of::<dpath::yaml::DpathExtractor>(),
    Member::of::<response_to_file::yaml::ResponseToFileExtractor>(),
];

/// The members of the family of filters.
pub(super) const FILTERS: &[Member] = &[Member::of::<record_filter::yaml::RecordFilter>()];

/// The members of the family of selectors.
pub(super) const SELECTORS: &[Member] = &[Member::of::<record_selector::yaml::RecordSelector>()];
