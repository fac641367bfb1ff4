//! Values that only templates make: generators, namespaces, views, and the like.

use std::cell::{Cell, RefCell};
use std::fmt;

use indexmap::IndexMap;

use super::iterate::Iter;
use super::value::Value;

/// A value with a behaviour of its own.
#[derive(Debug)]
pub enum Object<'a> {
    /// What lazy filters return: items made as they are asked for.
    Generator(Generator<'a>),
    /// `namespace()`.
    Namespace(RefCell<IndexMap<String, Value<'a>>>),
    /// `dict.keys()`, `dict.values()`, or `dict.items()`.
    View(View<'a>),
    /// `cycler()`.
    Cycler(Cycler<'a>),
    /// `joiner()`.
    Joiner(Joiner),
}

/// Items that are made as they are asked for.
pub struct Generator<'a> {
    /// What the generator calls itself when printed.
    pub name: &'static str,
    /// The items to come.
    pub items: RefCell<Iter<'a>>,
}

/// A part of a mapping that follows its changes.
#[derive(Debug)]
pub struct View<'a> {
    /// Which part.
    pub part: ViewPart,
    /// The mapping.
    pub mapping: Value<'a>,
}

/// A part of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewPart {
    /// The keys.
    Keys,
    /// The values.
    Values,
    /// Pairs of both.
    Items,
}

/// Gives its items one after the other, round and round.
#[derive(Debug)]
pub struct Cycler<'a> {
    /// The items.
    pub items: Vec<Value<'a>>,
    /// The position of the next one.
    pub position: Cell<usize>,
}

/// Is empty at the first call and a separator from then on.
#[derive(Debug)]
pub struct Joiner {
    /// The separator.
    pub separator: String,
    /// Whether it has been called.
    pub is_used: Cell<bool>,
}

impl Object<'_> {
    /// The name of the value's Python type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Generator(_) => "generator",
            Self::Namespace(_) => "Namespace",
            Self::View(view) => match view.part {
                ViewPart::Keys => "dict_keys",
                ViewPart::Values => "dict_values",
                ViewPart::Items => "dict_items",
            },
            Self::Cycler(_) => "Cycler",
            Self::Joiner(_) => "Joiner",
        }
    }

    /// How an undefined attribute's message names the value's type.
    pub(crate) fn qualified_type_name(&self) -> &'static str {
        match self {
            Self::Generator(_) => "generator object",
            Self::Namespace(_) => "jinja2.utils.Namespace object",
            Self::View(_) => "dict view object",
            Self::Cycler(_) => "jinja2.utils.Cycler object",
            Self::Joiner(_) => "jinja2.utils.Joiner object",
        }
    }
}

impl fmt::Debug for Generator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("name", &self.name).finish_non_exhaustive()
    }
}
