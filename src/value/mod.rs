//! JSON as records need it.

mod number;
mod python_json;
pub mod secret;
mod slice;

/// A JSON value; objects keep the order of their keys.
pub type Json = serde_json::Value;
/// A JSON object; keeps the order of its keys.
pub type Map = serde_json::Map<String, Json>;

pub use number::write_python_float;
pub use python_json::PythonJson;
pub use slice::StreamSlice;
