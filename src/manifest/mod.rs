//! A manifest as text, as a tree of located values, and with its references resolved.
//!
//! What is wrong on the way is collected as findings, each with its place.

mod finding;
mod node;
mod source;
mod yaml;

pub use finding::{Finding, Findings, Path, Severity, did_you_mean};
pub use node::{Key, Node, NodeMap, NodeValue, Span, Timestamp};
pub use source::Source;
pub use yaml::parse;

/// How deep lists and mappings may nest.
///
/// The reference ends with Python's recursion limit at a few hundred levels.
const MAX_DEPTH: usize = 256;

/// How many values a manifest may have when nothing is shared: aliases and
/// references can make exponentially many out of a short text.
const MAX_NODES: usize = 10_000_000;
