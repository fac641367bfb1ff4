//! The special variable `loop`.

use std::cell::{Cell, RefCell};

use super::args::Args;
use super::ast::For;
use super::cx::Cx;
use super::error::EvalError;
use super::iterate::{Iter, nothing};
use super::ops;
use super::value::Value;

/// A loop that is being run, as its body sees it.
pub struct Loop<'a> {
    /// The loop as it is written.
    pub(crate) node: &'a For,
    items: RefCell<Iter<'a>>,
    /// The number of items, once it is known.
    length: Cell<Option<usize>>,
    /// How many items have been given out.
    n_given: Cell<usize>,
    before: RefCell<Option<Value<'a>>>,
    current: RefCell<Option<Value<'a>>>,
    /// Items that were looked at ahead of their turn.
    ahead: RefCell<std::collections::VecDeque<Value<'a>>>,
    last_changed: RefCell<Option<Value<'a>>>,
    /// How many loops of the same text this one runs in.
    pub(crate) depth0: usize,
}

impl<'a> Loop<'a> {
    /// A loop over `iterable`. With a condition, only running it tells its length.
    pub(crate) fn new(
        node: &'a For,
        iterable: &Value<'a>,
        depth0: usize,
    ) -> Result<Self, EvalError> {
        let length = match node.test {
            None => ops::length(iterable),
            Some(_) => None,
        };
        Ok(Self {
            node,
            items: RefCell::new(Iter::new(iterable)?),
            length: Cell::new(length),
            n_given: Cell::new(0),
            before: RefCell::default(),
            current: RefCell::default(),
            ahead: RefCell::default(),
            last_changed: RefCell::default(),
            depth0,
        })
    }

    /// The next item that nobody has looked at; the loop's condition is not asked.
    pub(crate) fn pull(&self, cx: &Cx<'a>) -> Result<Option<Value<'a>>, EvalError> {
        self.items.borrow_mut().next(cx)
    }

    /// An item that was looked at ahead of its turn.
    pub(crate) fn take_ahead(&self) -> Option<Value<'a>> {
        self.ahead.borrow_mut().pop_front()
    }

    /// Keeps an item that was looked at ahead of its turn.
    pub(crate) fn put_ahead(&self, item: Value<'a>) {
        self.ahead.borrow_mut().push_back(item);
    }

    /// The item after the current one, if it has been looked at.
    pub(crate) fn peeked(&self) -> Option<Value<'a>> {
        self.ahead.borrow().front().cloned()
    }

    /// Begins the turn of an item.
    pub(crate) fn give(&self, item: &Value<'a>) {
        self.n_given.set(self.n_given.get() + 1);
        let before = self.current.borrow_mut().replace(item.clone());
        *self.before.borrow_mut() = before;
    }

    /// The number of items, if it is known.
    pub(crate) fn length(&self) -> Option<usize> {
        self.length.get()
    }

    /// Notes that there is nothing left but the items ahead.
    pub(crate) fn set_length(&self) -> usize {
        let length = self.n_given.get() + self.ahead.borrow().len();
        self.length.set(Some(length));
        length
    }

    /// The position of the current item, from 0.
    pub(crate) fn index0(&self) -> usize {
        self.n_given.get().saturating_sub(1)
    }

    /// The attributes that need no look ahead.
    pub(super) fn attribute(&self, name: &str) -> Option<Value<'a>> {
        Some(match name {
            "index0" => ops::int(self.index0()),
            "index" => ops::int(self.n_given.get()),
            "first" => Value::Bool(self.n_given.get() == 1),
            "depth0" => ops::int(self.depth0),
            "depth" => ops::int(self.depth0 + 1),
            "previtem" => {
                let before = self.before.borrow().clone();
                before.unwrap_or_else(|| nothing("there is no previous item"))
            }
            _ => return None,
        })
    }

    pub(super) fn cycle(&self, args: Args<'a>) -> Result<Value<'a>, EvalError> {
        let items = args.positional;
        match items.len() {
            0 => Err(EvalError::type_error("no items for cycling given")),
            n_items => Ok(items[self.index0() % n_items].clone()),
        }
    }

    pub(super) fn changed(&self, cx: &Cx<'a>, values: Vec<Value<'a>>) -> Result<bool, EvalError> {
        let mut last = self.last_changed.borrow_mut();
        let values = Value::tuple(values);
        let is_same = match &*last {
            Some(last) => ops::equal(cx, last, &values)?,
            None => false,
        };
        *last = Some(values);
        Ok(!is_same)
    }
}

impl std::fmt::Debug for Loop<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loop").field("index0", &self.index0()).finish_non_exhaustive()
    }
}
