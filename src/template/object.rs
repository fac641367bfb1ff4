//! Values that only templates make: generators, namespaces, loops, and the like.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use indexmap::IndexMap;

use super::args::Args;
use super::ast;
use super::cx::Cx;
use super::error::EvalError;
use super::iterate::{Iter, nothing};
use super::loops::Loop;
use super::ops;
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
    /// A pair that `groupby` makes, whose parts have names.
    Group(Value<'a>, Value<'a>),
    /// `cycler()`.
    Cycler(Cycler<'a>),
    /// `joiner()`.
    Joiner(Joiner),
    /// `loop`.
    Loop(Loop<'a>),
    /// A macro, or the caller of a call block.
    Macro(Callable<'a>),
    /// `self`.
    TemplateReference,
    /// `self.name`: a block to be called.
    BlockReference(String),
}

/// Items that are made as they are asked for.
pub struct Generator<'a> {
    /// What it calls itself when printed, such as `generator object do_batch`.
    pub description: &'static str,
    /// The items to come.
    pub(super) items: RefCell<Iter<'a>>,
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
    /// The items; there is at least one.
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

/// A macro as it is written.
pub struct Callable<'a>(pub(crate) &'a ast::Macro);

impl<'a> Object<'a> {
    /// The object as a value.
    pub fn into_value(self) -> Value<'a> {
        Value::Object(Rc::new(self))
    }

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
            Self::Group(..) => "_GroupTuple",
            Self::Cycler(_) => "Cycler",
            Self::Joiner(_) => "Joiner",
            Self::Loop(_) => "LoopContext",
            Self::Macro(_) => "Macro",
            Self::TemplateReference => "TemplateReference",
            Self::BlockReference(_) => "BlockReference",
        }
    }

    /// How an undefined attribute's message names the value's type.
    pub(crate) fn qualified_type_name(&self) -> &'static str {
        match self {
            Self::Generator(_) => "generator object",
            Self::Namespace(_) => "jinja2.utils.Namespace object",
            Self::View(view) => match view.part {
                ViewPart::Keys => "dict_keys object",
                ViewPart::Values => "dict_values object",
                ViewPart::Items => "dict_items object",
            },
            Self::Group(..) => "jinja2.filters._GroupTuple object",
            Self::Cycler(_) => "jinja2.utils.Cycler object",
            Self::Joiner(_) => "jinja2.utils.Joiner object",
            Self::Loop(_) => "jinja2.runtime.LoopContext object",
            Self::Macro(_) => "jinja2.runtime.Macro object",
            Self::TemplateReference => "jinja2.runtime.TemplateReference object",
            Self::BlockReference(_) => "jinja2.runtime.BlockReference object",
        }
    }

    /// The attribute of that name.
    pub(crate) fn attribute(self: &Rc<Self>, name: &str) -> Option<Value<'a>> {
        let method = |names: &[&'static str]| {
            let found = names.iter().find(|known| **known == name)?;
            Some(Value::method(&Value::Object(Rc::clone(self)), found))
        };
        match &**self {
            Self::Namespace(attributes) => attributes.borrow().get(name).cloned(),
            Self::View(view) => match name {
                "mapping" => Some(view.mapping.clone()),
                _ => None,
            },
            Self::Group(grouper, list) => match name {
                "grouper" => Some(grouper.clone()),
                "list" => Some(list.clone()),
                _ => None,
            },
            Self::Cycler(cycler) => match name {
                "current" => cycler.items.get(cycler.position.get()).cloned(),
                "items" => Some(Value::tuple(cycler.items.clone())),
                "pos" => Some(ops::int(cycler.position.get())),
                _ => method(&["next", "reset"]),
            },
            Self::Joiner(joiner) => match name {
                "sep" => Some(Value::str(joiner.separator.as_str())),
                "used" => Some(Value::Bool(joiner.is_used.get())),
                _ => None,
            },
            Self::Loop(state) => state.attribute(name).or_else(|| method(&["changed", "cycle"])),
            Self::Macro(Callable(node)) => Some(match name {
                "name" if node.name.name.is_empty() => Value::None,
                "name" => Value::str(node.name.name.as_str()),
                "arguments" => {
                    let names = node.parameters.iter();
                    Value::tuple(
                        names.map(|name| Value::str(name.name.as_str())).collect::<Vec<_>>(),
                    )
                }
                "catch_kwargs" => Value::Bool(node.kwargs_slot.is_some()),
                "catch_varargs" => Value::Bool(node.varargs_slot.is_some()),
                "caller" => Value::Bool(node.caller_slot.is_some()),
                _ => return None,
            }),
            Self::BlockReference(block) => match name {
                "name" => Some(Value::str(block.as_str())),
                "super" => Some(nothing(&format!("there is no parent block called '{block}'."))),
                _ => None,
            },
            Self::Generator(_) | Self::TemplateReference => None,
        }
    }

    /// Calls a method of the object.
    pub(crate) fn call_method(
        &self,
        cx: &Cx<'a>,
        name: &str,
        args: Args<'a>,
    ) -> Result<Value<'a>, EvalError> {
        match (self, name) {
            (Self::Cycler(cycler), "next") => {
                args.none(name)?;
                let position = cycler.position.get();
                cycler.position.set((position + 1) % cycler.items.len());
                Ok(cycler.items[position].clone())
            }
            (Self::Cycler(cycler), _) => {
                args.none(name)?;
                cycler.position.set(0);
                Ok(Value::None)
            }
            (Self::Loop(state), "cycle") => state.cycle(args),
            (Self::Loop(state), _) => Ok(Value::Bool(state.changed(cx, args.positional)?)),
            _ => Err(EvalError::Attribute(name.to_owned())),
        }
    }
}

impl<'a> Generator<'a> {
    /// A generator with that description over the items.
    pub(super) fn new(description: &'static str, items: Iter<'a>) -> Self {
        Self { description, items: RefCell::new(items) }
    }

    /// The generator as a value.
    pub(crate) fn into_value(self) -> Value<'a> {
        Object::Generator(self).into_value()
    }
}

impl fmt::Debug for Generator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("description", &self.description).finish_non_exhaustive()
    }
}

impl fmt::Debug for Callable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Callable").field(&self.0.name.name).finish()
    }
}
