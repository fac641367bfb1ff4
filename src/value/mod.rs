//! JSON as records need it.

pub mod secret;
mod slice;

/// A JSON value; objects keep the order of their keys.
pub type Json = serde_json::Value;
/// A JSON object; keeps the order of its keys.
pub type Map = serde_json::Map<String, Json>;

pub use slice::StreamSlice;
