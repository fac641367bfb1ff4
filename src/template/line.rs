//! One question of the command `template`: a line of JSON in, a line of JSON out.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::error::EvalError;
use super::filters;
use super::functions::Function;
use super::interpolated::{
    Expression, InterpolatedBoolean, InterpolatedMapping, InterpolatedNestedMapping,
    InterpolatedString,
};
use super::iterate::pairs;
use super::ops;
use super::scope::{Scope, Variable};
use super::valid::ValidTypes;
use super::value::Value;
use crate::run::RunContext;
use crate::value::{Json, Map, StreamSlice};

/// What is asked.
#[derive(Deserialize)]
struct Question<'q> {
    /// Which of the wrappers evaluates.
    mode: Mode,
    /// A template, or an object of templates.
    expr: Json,
    /// The variables by name.
    #[serde(borrow, default)]
    context: indexmap::IndexMap<String, &'q RawValue>,
    /// Python's names of the types that a literal may have.
    valid_types: Option<Vec<String>>,
    default: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// As `InterpolatedString`.
    String,
    /// The engine itself.
    Raw,
    /// [`InterpolatedBoolean`].
    Boolean,
    /// [`InterpolatedMapping`].
    Mapping,
    /// [`InterpolatedNestedMapping`].
    Nested,
}

/// Answers `{"mode", "expr", "context", "valid_types", "default"}` with
/// `{"result", "type"}` or `{"error", "message"}`.
///
/// `mode` is `string`, `raw`, `boolean`, `mapping`, or `nested`; `context` holds
/// the variables, among which `{"$slice": {...}}` is a stream slice and
/// `"$json_loads": true` adds the function. Results that JSON lacks are objects
/// such as `{"$tuple": [...]}`.
pub fn evaluate_line(line: &str, run: &RunContext) -> String {
    let answer = match serde_json::from_str::<Question<'_>>(line) {
        Ok(question) => question.answer(run),
        Err(err) => json!({"error": "BadRequest", "message": err.to_string()}),
    };
    answer.to_string()
}

impl Question<'_> {
    fn answer(&self, run: &RunContext) -> Json {
        let answer = self.read_slices().and_then(|slices| self.evaluate(&slices, run));
        answer.unwrap_or_else(|err| json!({"error": err.class_name(), "message": err.to_string()}))
    }

    /// The stream slices among the variables.
    fn read_slices(&self) -> Result<Vec<(&str, StreamSlice)>, EvalError> {
        let mut slices = Vec::new();
        for (name, raw) in &self.context {
            let value: Json = if raw.get().contains("$slice") {
                serde_json::from_str(raw.get())
                    .map_err(|err| EvalError::JsonDecode(err.to_string()))?
            } else {
                continue;
            };
            let Some(slice) = value.get("$slice") else { continue };
            let part = |part: &str| slice.get(part).and_then(Json::as_object).cloned();
            slices.push((
                name.as_str(),
                StreamSlice {
                    partition: part("partition").unwrap_or_default(),
                    cursor_slice: part("cursor_slice").unwrap_or_default(),
                    extra_fields: part("extra_fields").unwrap_or_default(),
                },
            ));
        }
        Ok(slices)
    }

    fn evaluate(
        &self,
        slices: &[(&str, StreamSlice)],
        run: &RunContext,
    ) -> Result<Json, EvalError> {
        let mut scope = Scope::new(run);
        let mut parameters = Map::new();
        if !self.context.contains_key("config") {
            scope.set("config", Variable::JsonText("{}"));
        }
        for (name, raw) in &self.context {
            if name == "parameters" {
                parameters = serde_json::from_str(raw.get()).unwrap_or_default();
            } else if name == "$json_loads" {
                scope.set("json_loads", Function::JsonLoads);
            } else if let Some((_, slice)) = slices.iter().find(|(slice, _)| slice == name) {
                scope.set(name, slice);
            } else {
                scope.set(name, Variable::JsonText(raw.get()));
            }
        }
        let parameters = Arc::new(parameters);
        let names = self.valid_types.iter().flatten();
        let valid_types =
            names.filter_map(|name| ValidTypes::named(name)).fold(ValidTypes::ANY, ValidTypes::or);
        let text = self.expr.as_str().unwrap_or_default();
        match self.mode {
            Mode::String => {
                let string = InterpolatedString::new(text, parameters)
                    .with_default(self.default.as_deref().unwrap_or_default());
                answer(&string.eval_as(&scope, valid_types)?)
            }
            Mode::Raw => {
                let mut expression = Expression::new(text);
                if let Some(default) = &self.default {
                    expression = expression.with_default(default);
                }
                answer(&expression.eval(&scope, Some(&parameters), valid_types)?)
            }
            Mode::Boolean => {
                let boolean = InterpolatedBoolean::new(text, parameters);
                answer(&Value::Bool(boolean.eval(&scope)?))
            }
            Mode::Mapping => {
                let mapping = self.expr.as_object().cloned().unwrap_or_default();
                let mapping = InterpolatedMapping::new(&mapping, parameters);
                answer(&Value::dict(mapping.eval(&scope, valid_types)?))
            }
            Mode::Nested => {
                let nested = InterpolatedNestedMapping::new(&self.expr, parameters);
                answer(&nested.eval(&scope)?)
            }
        }
    }
}

fn answer(value: &Value<'_>) -> Result<Json, EvalError> {
    Ok(json!({"result": encode(value)?, "type": value.type_name()}))
}

/// A value as JSON, with objects for what JSON lacks.
fn encode(value: &Value<'_>) -> Result<Json, EvalError> {
    let items = |items: Vec<Value<'_>>| -> Result<Json, EvalError> {
        items.iter().map(encode).collect::<Result<_, _>>().map(Json::Array)
    };
    Ok(match value {
        Value::Int(int) if int.unsigned_abs() > 1 << 53 => json!({"$int": int.to_string()}),
        Value::BigInt(int) => json!({"$int": int.to_string()}),
        Value::Float(float) if !float.is_finite() => json!({"$float": ops::float_repr(*float)}),
        Value::List(_) | Value::JsonList(_) => items(ops::items(value))?,
        Value::Tuple(_) => json!({"$tuple": items(ops::items(value))?}),
        Value::Set(set) => {
            let members = set.borrow().iter().map(|key| key.value().clone()).collect();
            json!({"$set": items(members)?})
        }
        Value::Bytes(bytes) => {
            json!({"$bytes": filters::hex(bytes)})
        }
        Value::Ellipsis => json!({"$ellipsis": true}),
        Value::Dict(_) | Value::JsonDict(_) => {
            let pairs = pairs(value);
            let is_plain =
                pairs.iter().all(|(key, _)| key.as_str().is_some_and(|key| !key.starts_with('$')));
            if is_plain {
                let mut map = Map::new();
                for (key, item) in &pairs {
                    map.insert(key.py_str()?.into_owned(), encode(item)?);
                }
                return Ok(Json::Object(map));
            }
            let encoded: Vec<Json> = pairs
                .iter()
                .map(|(key, item)| Ok(json!([encode(key)?, encode(item)?])))
                .collect::<Result<_, EvalError>>()?;
            json!({"$dict": encoded})
        }
        _ => value.to_json()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line of a file is a question with the reference's own answer; the
    /// first line has what all of them share. An error's message is there when
    /// it is the same to the letter.
    #[track_caller]
    fn check(file: &str) {
        let run = RunContext::fixed("2024-05-06T07:08:09.123456Z".parse().unwrap());
        let mut lines = file.lines();
        let shared: Map = serde_json::from_str(lines.next().unwrap()).unwrap();
        let mut n_checked = 0;
        for line in lines {
            let mut question = shared.clone();
            question.insert("mode".to_owned(), json!("string"));
            question.extend(serde_json::from_str::<Map>(line).unwrap());
            let expect = question.shift_remove("answer").unwrap();
            let asked = serde_json::to_string(&question).unwrap();
            let mut answer: Map = serde_json::from_str(&evaluate_line(&asked, &run)).unwrap();
            if expect.get("message").is_none() {
                answer.shift_remove("message");
            }
            assert_eq!(Json::Object(answer).to_string(), expect.to_string(), "{line}");
            n_checked += 1;
        }
        assert!(n_checked > 0);
    }

    #[test]
    fn expressions_are_evaluated_as_the_reference_does() {
        check(include_str!("testdata/expressions.jsonl"));
    }

    #[test]
    fn statements_are_executed_as_the_reference_does() {
        check(include_str!("testdata/statements.jsonl"));
    }

    #[test]
    fn filters_and_tests_agree() {
        check(include_str!("testdata/filters.jsonl"));
    }

    #[test]
    fn methods_of_texts_agree() {
        check(include_str!("testdata/methods.jsonl"));
    }

    #[test]
    fn dates_and_times_agree() {
        check(include_str!("testdata/times.jsonl"));
    }

    #[test]
    fn stream_slices_agree() {
        check(include_str!("testdata/slices.jsonl"));
    }

    #[test]
    fn wrappers_agree() {
        check(include_str!("testdata/wrappers.jsonl"));
    }
}
