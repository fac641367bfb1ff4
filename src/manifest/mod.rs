//! A manifest as text, as a tree of located values, and with its references resolved.
//!
//! What is wrong on the way is collected as findings, each with its place.

mod finding;
mod node;
mod source;

pub use finding::{Finding, Findings, Path, Severity, did_you_mean};
pub use node::{Key, Node, NodeMap, NodeValue, Span, Timestamp};
pub use source::Source;
