//! Decoders: bodies to elements, in which an extractor then finds the records.
//!
//! - [`json`]: `JsonDecoder`, one JSON value, whose list items are the elements;
//! - [`json_items`]: `JsonItemsDecoder`, the items of one list in a large JSON value;
//! - [`jsonl`]: `JsonlDecoder`, one JSON value on each line;
//! - [`csv`]: `CsvDecoder`, rows under a row of names;
//! - [`xml`]: `XmlDecoder`, one XML document;
//! - [`iterable`]: `IterableDecoder`, lines of text;
//! - [`gzip`]: `GzipDecoder`, what another decoder reads, compressed;
//! - [`zipfile`]: `ZipfileDecoder`, files that another decoder reads, in an archive.

pub mod csv;
pub mod gzip;
pub mod iterable;
pub mod json;
pub mod json_items;
pub mod jsonl;
mod lines;
pub mod xml;
pub mod zipfile;

#[cfg(test)]
mod testing;

use super::slot::{Member, accepts};

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<csv::yaml::CsvDecoder>(),
    Member::of::<gzip::yaml::GzipDecoder>(),
    Member::of::<iterable::yaml::IterableDecoder>(),
    Member::of::<json::yaml::JsonDecoder>(),
    Member::of::<json_items::yaml::JsonItemsDecoder>(),
    Member::of::<jsonl::yaml::JsonlDecoder>(),
    Member::of::<xml::yaml::XmlDecoder>(),
    Member::of::<zipfile::yaml::ZipfileDecoder>(),
];

accepts!(
    /// What can be read out of a compressed body or an archive.
    Packed = "CsvDecoder",
    "GzipDecoder",
    "JsonDecoder",
    "JsonItemsDecoder",
    "JsonlDecoder",
);
