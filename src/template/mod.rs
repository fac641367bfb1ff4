//! The Jinja dialect of manifests, over Python's values.
//!
//! A template is parsed once, when the manifest is built. Evaluating it walks
//! the syntax tree over values that borrow from the scope, renders text, and
//! reads that text back as a Python literal, as the reference does.
//!
//! In reading order: `lexer`, `parser` and `statements` make a syntax tree
//! (`ast`), in which `scoping` finds the variables; `eval` and `render` run it
//! over `value`s with the help of `ops`, `methods`, `filters`, `tests` and
//! `functions`; `interpolate` has the rules of the reference, and
//! `interpolated` what components use.

mod args;
mod ast;
mod cx;
mod dict;
mod dismantle;
mod error;
mod eval;
mod filters;
mod format;
mod functions;
mod interpolate;
mod interpolated;
mod iterate;
mod json;
mod json_loads;
mod lexer;
mod line;
mod lipsum;
mod literal;
mod loops;
mod markup;
mod methods;
mod numeric;
mod object;
mod ops;
mod outline;
mod page_limit;
mod parser;
mod path;
mod reads;
pub mod regex;
mod render;
mod repr;
mod scope;
mod scoping;
mod source;
mod statements;
mod syntax;
mod tests;
pub mod time;
mod traits;
mod valid;
mod value;
mod walk;

pub use args::Args;
pub use cx::Cx;
pub use dict::{Dict, Key, Set, StrKey};
pub use error::EvalError;
pub use functions::Function;
pub use interpolated::{
    Expression, InterpolatedBoolean, InterpolatedMapping, InterpolatedNestedMapping,
    InterpolatedString,
};
pub use line::evaluate_line;
pub use outline::{Use, UseKind};
pub use scope::{Scope, Variable};
pub use source::Template;
pub use syntax::SyntaxError;
pub use valid::ValidTypes;
pub use value::{BoundMethod, Missing, Text, Undefined, Value};
