//! Python's three ways to format: `%`, `str.format`, and `format()`.

mod braces;
mod number;
mod percent;
mod spec;

pub(crate) use braces::{Arguments, str_format};
pub(crate) use percent::percent;
