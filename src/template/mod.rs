//! The Jinja dialect of manifests, over Python's values.
//!
//! A template is parsed once, when the manifest is built. Evaluating it walks
//! the syntax tree over values that borrow from the scope, renders text, and
//! reads that text back as a Python literal, as the reference does.

mod args;
mod cx;
mod dict;
mod error;
mod format;
mod functions;
mod iterate;
mod literal;
mod methods;
mod object;
mod ops;
pub mod regex;
mod repr;
mod syntax;
pub mod time;
mod value;

pub use args::Args;
pub use cx::Cx;
pub use dict::{Dict, Key, Set, StrKey};
pub use error::EvalError;
pub use functions::Function;
pub use literal::literal_eval;
pub use syntax::SyntaxError;
pub use value::{BoundMethod, Missing, Text, Undefined, Value};
