//! What one evaluation may use, and how much of it is left.

use std::cell::Cell;

use super::error::EvalError;
use crate::run::RunContext;

/// Bytes that one evaluation may make; more than any sensible
/// template needs, and little enough that a senseless one ends soon.
const SHARE: usize = 1 << 26;

/// What a step takes of it, compared with a byte.
const STEP: usize = 8;

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

    /// Takes one step of the evaluation.
    pub fn step(&self) -> Result<(), EvalError> {
        self.charge(STEP)
    }

    /// Takes `amount` bytes or items of what is left, before they are made.
    pub fn charge(&self, amount: usize) -> Result<(), EvalError> {
        let left = self.left.get().checked_sub(amount).ok_or(EvalError::Limit)?;
        self.left.set(left);
        Ok(())
    }
}
