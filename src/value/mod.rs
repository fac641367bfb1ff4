//! JSON as records need it.

pub mod body;
mod emit;
mod error;
mod glob;
mod insert;
mod json_schema;
mod number;
mod parse;
mod path;
mod python;
mod python_json;
mod scan;
pub mod secret;
mod slice;
mod transcribe;

/// A JSON value; objects keep the order of their keys.
pub type Json = serde_json::Value;
/// A JSON object; keeps the order of its keys.
pub type Map = serde_json::Map<String, Json>;

pub use emit::{write_json, write_object, write_record_data, write_string};
pub use error::{ParseError, PathError};
pub use glob::Glob;
pub use insert::insert;
pub use json_schema::{SchemaError, check_against_schema};
pub use number::write_python_float;
pub use parse::{parse, parse_text};
pub use path::Path;
pub use python::{
    is_truthy, python_float, python_int, python_repr, python_str, python_type_name,
    write_python_dict_repr, write_python_repr, write_python_text_repr,
};
pub use python_json::PythonJson;
pub use secret::{Secret, Secrets};
pub use slice::{StreamSlice, partition_key};
pub use transcribe::{Lines, Transcribed, Transcription, Untranscribed, is_empty_object};
