//! What can be told of a template without running it.

use super::ast::{Expr, Stmt};
use super::walk;

/// Methods that change the value that they belong to.
const MUTATORS: [&str; 13] = [
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
];

/// Functions and filters whose result is not the same every time.
const VOLATILE: [&str; 7] = [
    "day_delta",
    "generate_uuid",
    "lipsum",
    "now_utc",
    "random",
    "today_utc",
    "today_with_timezone",
];

/// What can be told of a template without running it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traits {
    /// It may change values that it is given, and has to be given copies.
    pub(super) mutates: bool,
    /// Its result depends on the clock or on randomness.
    pub(super) is_volatile: bool,
}

impl Traits {
    /// What a parsed template does, blocks and macros included.
    pub(super) fn note(&mut self, statements: &mut [Stmt]) {
        walk::expressions(statements, &mut |expr| self.note_expr(expr));
    }

    fn note_expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Attribute(_, name) | Expr::Str(name) => {
                self.mutates |= MUTATORS.contains(&name.as_str());
                self.is_volatile |= name == "random";
            }
            Expr::Name(name) => self.is_volatile |= VOLATILE.contains(&name.name.as_str()),
            Expr::Filter(call) => self.is_volatile |= VOLATILE.contains(&call.name.as_str()),
            _ => {}
        }
        expr.children().into_iter().for_each(|child| self.note_expr(child));
    }
}
