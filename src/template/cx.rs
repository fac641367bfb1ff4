//! What one evaluation may use, and how much of it is left.

use std::cell::Cell;

use super::error::EvalError;
use crate::run::RunContext;

/// Steps and bytes that one evaluation may take; more than any sensible
/// template needs, and little enough that a senseless one ends soon.
const SHARE: usize = 1 << 26;

/// The surroundings of one evaluation.
#[derive(Debug)]
pub struct Cx<'a> {
    run: &'a RunContext,
    left: Cell<usize>,
}

impl<'a> Cx<'a> {
    /// A fresh evaluation.
    pub fn new(run: &'a RunContext) -> Self {
        Self { run, left: Cell::new(SHARE) }
    }

    /// The clock and the randomness.
    pub fn run(&self) -> &'a RunContext {
        self.run
    }

    /// Takes `amount` steps or bytes of what is left, before they are used.
    pub fn charge(&self, amount: usize) -> Result<(), EvalError> {
        let left = self.left.get().checked_sub(amount).ok_or(EvalError::Limit)?;
        self.left.set(left);
        Ok(())
    }
}
