//! What one evaluation may use, and how much of it is left.

use std::cell::{Cell, OnceCell};
use std::time::{Duration, Instant};

use super::error::EvalError;
use crate::run::RunContext;

/// Bytes that one evaluation may make; more than any sensible
/// template needs, and little enough that a senseless one ends soon.
const SHARE: usize = 1 << 26;

/// What a step takes of it, compared with a byte.
const STEP: usize = 8;

/// How long one evaluation may take, for steps that go over much at a time.
const MAX_TIME: Duration = Duration::from_mins(1);

/// Steps between two looks at the clock.
const STEPS_BETWEEN_LOOKS: usize = 64;

/// Nesting of values that is followed; Python gives up there as well.
pub(crate) const MAX_DEPTH: usize = 300;

/// Bytes that a value may become as text: shared containers can print as exponentially more than
/// they hold.
pub(crate) const MAX_TEXT: usize = SHARE;

/// The surroundings of one evaluation.
#[derive(Debug)]
pub struct Cx<'a> {
    run: &'a RunContext,
    left: Cell<usize>,
    n_steps: Cell<usize>,
    max_time: Duration,
    /// When the clock was first looked at.
    began: OnceCell<Instant>,
}

impl<'a> Cx<'a> {
    /// A fresh evaluation.
    pub fn new(run: &'a RunContext) -> Self {
        Self::within(run, MAX_TIME)
    }

    /// A fresh evaluation that may take so long.
    fn within(run: &'a RunContext, max_time: Duration) -> Self {
        let (left, n_steps, began) = (Cell::new(SHARE), Cell::new(0), OnceCell::new());
        Self { run, left, n_steps, max_time, began }
    }

    /// The clock and the randomness.
    pub fn run(&self) -> &'a RunContext {
        self.run
    }

    /// Takes one step of the evaluation.
    pub fn step(&self) -> Result<(), EvalError> {
        let n_steps = self.n_steps.get() + 1;
        self.n_steps.set(n_steps);
        if n_steps.is_multiple_of(STEPS_BETWEEN_LOOKS) {
            self.look_at_clock()?;
        }
        self.charge(STEP)
    }

    /// Ends what takes too long, at a step that may take long itself.
    pub fn look_at_clock(&self) -> Result<(), EvalError> {
        let is_late = self.began.get_or_init(Instant::now).elapsed() > self.max_time;
        if is_late { Err(EvalError::Limit) } else { Ok(()) }
    }

    /// Takes `amount` bytes or items of what is left, before they are made.
    pub fn charge(&self, amount: usize) -> Result<(), EvalError> {
        let left = self.left.get().checked_sub(amount).ok_or(EvalError::Limit)?;
        self.left.set(left);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Expression, Scope, ValidTypes};

    /// What a template ends with that would take all time or memory.
    #[track_caller]
    fn check(template: &str, expect: &EvalError) {
        let run = RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
        let expression = Expression::new(template);
        let found = expression.eval(&Scope::new(&run), None, ValidTypes::ANY);
        assert_eq!(found.unwrap_err(), *expect, "{template}");
    }

    #[test]
    fn templates_that_would_never_end_end() {
        let check = |template: &str| {
            check(template, &EvalError::Limit.of_template(template));
        };
        check("{{ 'a' * 10**9 }}");
        check("{{ [1] * 10**9 }}");
        check("{{ 3 ** (2**31) }}");
        check("{{ 'x' | center(10**10) }}");
        check("{{ '%1000000000d' % 5 }}");
        check("{{ '{:1000000000}'.format(5) }}");
        check("{{ [1] | batch(10**12, 0) | list }}");
        check("{{ ('a' * 10**6) | replace('a', 'b' * 10**6) }}");
        check("{{ ('a' * 10**6) | regex_replace('a', 'b' * 10**6) }}");
        check("{{ ('a' * 1000) | regex_search('(a*)*(a*)*(a*)*\\\\1b') }}");
        let long = "a".repeat(1000);
        check(&format!("{{% for a in '{long}' * 100 %}}{long}{{% endfor %}}"));
    }

    #[test]
    fn an_evaluation_has_its_time() {
        let run = RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
        let take_steps = |cx: &Cx<'_>| (0..1000).try_for_each(|_| cx.step());
        assert_eq!(take_steps(&Cx::new(&run)), Ok(()));
        assert_eq!(take_steps(&Cx::within(&run, Duration::ZERO)), Err(EvalError::Limit));
    }

    #[test]
    fn an_evaluation_has_its_steps() {
        let run = RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
        let cx = Cx::new(&run);
        let n_steps = (0..10_000_000).take_while(|_| cx.step().is_ok()).count();
        assert_eq!(n_steps, 8_388_608);
    }

    #[test]
    fn values_that_hold_themselves_or_double_end() {
        let circle = "{% set l = [] %}{% set m = [] %}\
                      {% set _ = l.append(m) %}{% set _ = m.append(l) %}";
        for asked in ["l == m", "l < m", "l | tojson", "l | pprint"] {
            check(&format!("{circle}{{{{ {asked} }}}}"), &EvalError::Recursion);
        }
        let doubled = "{% set ns = namespace(x=(1,)) %}{% for i in 'a' * 60 %}\
                       {% set ns.x = (ns.x, ns.x) %}{% endfor %}";
        let template = format!("{doubled}{{{{ {{ns.x: 1}} }}}}");
        check(&template, &EvalError::Limit.of_template(&template));
    }
}
