//! The rules by which a template becomes a value: it is rendered, and its
//! text is read back as a Python literal.

use super::error::EvalError;
use super::literal::literal_eval;
use super::ops;
use super::path::Path;
use super::scope::Scope;
use super::source::{Rendered, Template};
use super::valid::ValidTypes;
use super::value::{Text, Value};
use crate::value::{Json, Map};

/// Why `stream_state` is refused; the reference's own words.
const NO_STREAM_STATE: &str = "`stream_state` is no longer supported for interpolation. We \
                               recommend using `stream_interval` instead. Please reference the CDK \
                               Migration Guide for more information.";

/// Nesting that a literal is read with for certain.
const SAFE_DEPTH: usize = 60;

/// Values in a container that are worth a look; shared containers can seem to
/// hold exponentially many.
const MAX_VALUES: usize = 1 << 22;

/// A template with what can be known of it beforehand.
#[derive(Clone, Debug)]
pub(super) struct Interpolation {
    template: Template,
    /// Set for templates that are only a path into a variable.
    path: Option<Path>,
    /// Whether it is text that nothing can change.
    is_plain: bool,
    mentions_stream_state: bool,
}

/// What stands for a rendering that is empty or comes upon something undefined.
#[derive(Clone, Copy, Debug)]
pub(super) enum Default<'a> {
    /// `None`.
    None,
    /// The same template once more: an empty text stays one, and what was
    /// undefined is an error.
    Itself,
    /// Another template.
    Template(&'a Template),
}

impl Interpolation {
    pub(super) fn new(source: &str) -> Self {
        let template = Template::parse(source);
        let path = template.only_expression().and_then(Path::of);
        let mentions_stream_state = source.contains("stream_state");
        let is_plain = template.literal_text() == Some(source)
            && !source.is_empty()
            && !mentions_stream_state
            && literal_eval(source).is_none();
        Self { template, path, is_plain, mentions_stream_state }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    pub(super) fn template(&self) -> &Template {
        &self.template
    }

    pub(super) fn eval<'a>(
        &'a self,
        scope: &Scope<'a>,
        parameters: Option<&'a Map>,
        default: Default<'a>,
        valid_types: ValidTypes,
    ) -> Result<Value<'a>, EvalError> {
        if self.is_plain {
            return Ok(Value::from(self.template.source()));
        }
        scope.check()?;
        if self.mentions_stream_state {
            return Err(EvalError::Config(NO_STREAM_STATE.to_owned()));
        }
        if let Some(json) = self.path.as_ref().and_then(|path| path.find(scope, parameters))
            && let Some(value) = settle_json(json, valid_types)
        {
            return Ok(value);
        }
        let settled = settle(render(&self.template, scope, parameters), valid_types);
        match settled.map_err(|err| err.of_template(self.template.source())) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => match default {
                Default::None => Ok(Value::None),
                Default::Itself => Ok(Value::from("")),
                Default::Template(default) => eval_default(default, scope, parameters, valid_types),
            },
            Err(EvalError::Undefined(message)) => match default {
                Default::None => Ok(Value::None),
                Default::Itself => Err(EvalError::Undefined(message)),
                Default::Template(default) => eval_default(default, scope, parameters, valid_types),
            },
            Err(err) => Err(err),
        }
    }
}

fn eval_default<'a>(
    default: &'a Template,
    scope: &Scope<'a>,
    parameters: Option<&'a Map>,
    valid_types: ValidTypes,
) -> Result<Value<'a>, EvalError> {
    let value = settle(render(default, scope, parameters), valid_types)?;
    Ok(value.unwrap_or_else(|| Value::from("")))
}

/// A type error makes a template render as its own source.
fn render<'a>(
    template: &'a Template,
    scope: &Scope<'a>,
    parameters: Option<&'a Map>,
) -> Result<Rendered<'a>, EvalError> {
    let rendered = template.render(scope, parameters).and_then(|rendered| match rendered {
        Rendered::Value(value) if !stays_itself(&value) => Ok(Rendered::Text(match &value {
            Value::Str(text) => text.clone(),
            // What cannot be turned into text is a fault of the rendering as well.
            _ => Text::from(value.py_str()?.into_owned()),
        })),
        rendered => Ok(rendered),
    });
    match rendered {
        Err(EvalError::Type(_)) => Ok(Rendered::Text(Text::Borrowed(template.source()))),
        rendered => rendered,
    }
}

/// What a rendering is as a value; `None` when there is nothing.
fn settle(
    rendered: Result<Rendered<'_>, EvalError>,
    valid_types: ValidTypes,
) -> Result<Option<Value<'_>>, EvalError> {
    let text = match rendered? {
        Rendered::Value(value) if valid_types.accept(&value) => return Ok(Some(value)),
        Rendered::Value(value) => Text::from(value.py_str()?.into_owned()),
        Rendered::Text(text) if text.is_empty() => return Ok(None),
        Rendered::Text(text) => text,
    };
    Ok(Some(match literal_eval(&text) {
        Some(value) if valid_types.accept(&value) => value,
        _ => Value::Str(text),
    }))
}

/// Whether turning the value into text and reading that as a literal gives
/// the value again. Texts do not count: what they hold may be a literal.
fn stays_itself(value: &Value<'_>) -> bool {
    let mut n_left = MAX_VALUES;
    value.as_str().is_none() && stays_inside(value, 0, &mut n_left)
}

/// The same inside of a container, where texts are quoted.
fn stays_inside(value: &Value<'_>, depth: usize, n_left: &mut usize) -> bool {
    if depth > SAFE_DEPTH || *n_left == 0 {
        return false;
    }
    *n_left -= 1;
    let mut stays = |value: &Value<'_>| stays_inside(value, depth + 1, n_left);
    match value {
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Str(_) => true,
        Value::Float(float) => float.is_finite(),
        Value::JsonList(items) => items.iter().all(|item| stays(&Value::from_json(item))),
        Value::JsonDict(map) => map.values().all(|item| stays(&Value::from_json(item))),
        Value::List(items) => items.borrow().iter().all(stays),
        Value::Tuple(items) => items.iter().all(stays),
        Value::Dict(dict) => {
            dict.borrow().iter().all(|(key, item)| stays(key.value()) && stays(item))
        }
        _ => false,
    }
}

/// The shortest way from a JSON value to what a template that prints it gives;
/// `None` when the long way has to be taken.
fn settle_json(json: &Json, valid_types: ValidTypes) -> Option<Value<'_>> {
    let value = Value::from_json(json);
    let is_settled = match &value {
        Value::Str(text) => !text.is_empty() && literal_eval(text).is_none(),
        value => stays_itself(value) && valid_types.accept(value),
    };
    is_settled.then_some(value)
}

/// Whether the value counts as false in a condition.
pub(super) fn is_false(value: &Value<'_>) -> bool {
    const FALSE_TEXTS: [&str; 8] = ["False", "false", "{}", "[]", "()", "", "0", "0.0"];
    match value {
        Value::None => true,
        Value::Str(text) => FALSE_TEXTS.contains(&text.as_str()),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => !value.is_truthy(),
        Value::List(_) | Value::JsonList(_) | Value::Tuple(_) => ops::length(value) == Some(0),
        Value::Dict(_) | Value::JsonDict(_) | Value::Set(_) => ops::length(value) == Some(0),
        _ => false,
    }
}
