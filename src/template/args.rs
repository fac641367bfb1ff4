//! Arguments of calls from templates.

use super::error::EvalError;
use super::value::{Text, Value};

/// The arguments of one call, evaluated.
#[derive(Clone, Debug, Default)]
pub struct Args<'a> {
    /// By position.
    pub positional: Vec<Value<'a>>,
    /// By name, in the order written.
    pub named: Vec<(Text<'a>, Value<'a>)>,
}

impl<'a> Args<'a> {
    /// Arguments given by position only.
    pub fn of(positional: Vec<Value<'a>>) -> Self {
        Self { positional, named: Vec::new() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.positional.is_empty() && self.named.is_empty()
    }

    /// Puts each argument at its parameter's place, as a Python call does.
    ///
    /// The first `n_required` of `parameters` must be given; too many, unknown,
    /// doubled, or missing arguments are type errors.
    pub fn bind<const N: usize>(
        self,
        function: &str,
        parameters: [&str; N],
        n_required: usize,
    ) -> Result<[Option<Value<'a>>; N], EvalError> {
        if self.positional.len() > N {
            let n_given = self.positional.len();
            return Err(EvalError::Type(format!(
                "{function}() takes at most {N} arguments ({n_given} given)"
            )));
        }
        let mut bound = [const { None }; N];
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let name = name.as_str();
            let Some(idx) = parameters.iter().position(|parameter| *parameter == name) else {
                return Err(EvalError::Type(format!(
                    "{function}() got an unexpected keyword argument '{name}'"
                )));
            };
            if bound[idx].replace(value).is_some() {
                return Err(EvalError::Type(format!(
                    "{function}() got multiple values for argument '{name}'"
                )));
            }
        }
        match bound[..n_required].iter().position(Option::is_none) {
            None => Ok(bound),
            Some(idx) => Err(EvalError::Type(format!(
                "{function}() missing required argument '{}' (pos {})",
                parameters[idx],
                idx + 1
            ))),
        }
    }

    /// For a function of Python's own, which takes its arguments by position only.
    pub fn unnamed(self, function: &str) -> Result<Self, EvalError> {
        if self.named.is_empty() {
            Ok(self)
        } else {
            Err(EvalError::Type(format!("{function}() takes no keyword arguments")))
        }
    }

    /// For a function that takes one argument, by position.
    pub fn only(self, function: &str) -> Result<Value<'a>, EvalError> {
        let n_given = self.positional.len() + self.named.len();
        let mut positional = self.positional.into_iter();
        match (positional.next(), n_given) {
            (Some(value), 1) => Ok(value),
            _ => Err(EvalError::Type(format!(
                "{function}() takes exactly one argument ({n_given} given)"
            ))),
        }
    }

    /// For a function without parameters.
    pub fn none(self, function: &str) -> Result<(), EvalError> {
        if self.is_empty() {
            return Ok(());
        }
        let n_given = self.positional.len() + self.named.len();
        Err(EvalError::Type(format!("{function}() takes no arguments ({n_given} given)")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        positional: &[i64],
        named: &[(&'static str, i64)],
        expect: Result<[Option<i64>; 2], &str>,
    ) {
        let args = Args {
            positional: positional.iter().copied().map(Value::Int).collect(),
            named: named.iter().map(|&(name, n)| (Text::Borrowed(name), Value::Int(n))).collect(),
        };
        let bound = args.bind("f", ["a", "b"], 1);
        let bound = bound.map(|values| values.map(|value| value.and_then(|value| value.as_i64())));
        assert_eq!(bound.map_err(|err| err.to_string()), expect.map_err(str::to_owned));
    }

    #[test]
    fn binds_as_python_does() {
        check(&[1, 2], &[], Ok([Some(1), Some(2)]));
        check(&[1], &[("b", 2)], Ok([Some(1), Some(2)]));
        check(&[], &[("a", 1)], Ok([Some(1), None]));
        check(&[], &[("b", 1)], Err("f() missing required argument 'a' (pos 1)"));
        check(&[1], &[("a", 1)], Err("f() got multiple values for argument 'a'"));
        check(&[1], &[("c", 1)], Err("f() got an unexpected keyword argument 'c'"));
        check(&[1, 2, 3], &[], Err("f() takes at most 2 arguments (3 given)"));
    }
}
