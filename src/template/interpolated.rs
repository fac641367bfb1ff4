//! The strings, mappings, and conditions of a manifest that are templates.

use std::sync::{Arc, OnceLock};

use super::dict::{Dict, Key};
use super::error::EvalError;
use super::interpolate::{Default, Interpolation, is_false};
use super::scope::Scope;
use super::source::Template;
use super::valid::ValidTypes;
use super::value::Value;
use crate::run::RunContext;
use crate::value::{Json, Map};

/// A string of a manifest that may be a template.
#[derive(Debug)]
pub struct InterpolatedString {
    interpolation: Interpolation,
    default: Option<Template>,
    parameters: Arc<Map>,
    /// Whether it evaluates to its own source, which the first evaluation
    /// decides for ever: also when only a type error made it so.
    is_plain: OnceLock<bool>,
}

impl InterpolatedString {
    /// A string with the parameters of its component.
    pub fn new(source: &str, parameters: Arc<Map>) -> Self {
        let interpolation = Interpolation::new(source);
        let is_plain = OnceLock::new();
        if interpolation.is_plain() {
            let _ = is_plain.set(true);
        }
        Self { interpolation, default: None, parameters, is_plain }
    }

    /// The same with a template for what is empty or undefined; an empty one is none.
    #[must_use]
    pub fn with_default(mut self, default: &str) -> Self {
        self.default = (!default.is_empty()).then(|| Template::parse(default));
        self
    }

    /// The text in the manifest.
    pub fn source(&self) -> &str {
        self.interpolation.template().source()
    }

    /// The template that was read.
    pub fn template(&self) -> &Template {
        self.interpolation.template()
    }

    /// The value of the string.
    pub fn eval<'a>(&'a self, scope: &Scope<'a>) -> Result<Value<'a>, EvalError> {
        self.eval_as(scope, ValidTypes::ANY)
    }

    /// The value of the string; a literal of another type stays text.
    pub fn eval_as<'a>(
        &'a self,
        scope: &Scope<'a>,
        valid_types: ValidTypes,
    ) -> Result<Value<'a>, EvalError> {
        if self.is_plain.get() == Some(&true) {
            return Ok(Value::from(self.source()));
        }
        let default = match &self.default {
            Some(default) => Default::Template(default),
            None => Default::Itself,
        };
        let value = self.interpolation.eval(scope, Some(&self.parameters), default, valid_types)?;
        self.is_plain.get_or_init(|| value.as_str() == Some(self.source()));
        Ok(value)
    }

    /// `str()` of the value.
    pub fn eval_string(&self, scope: &Scope<'_>) -> Result<String, EvalError> {
        self.eval(scope)?.py_str().map(std::borrow::Cow::into_owned)
    }

    /// The value as JSON.
    pub fn eval_json(&self, scope: &Scope<'_>) -> Result<Json, EvalError> {
        self.eval(scope)?.to_json()
    }

    /// The value, when nothing but the configuration decides it; `None` when
    /// the string has to be evaluated each time.
    pub fn fold(&self, run: &RunContext, config: &Map) -> Option<Json> {
        let depends = |template: &Template| {
            template.is_volatile()
                || template
                    .variables()
                    .iter()
                    .any(|name| !["config", "parameters"].contains(&name.as_str()))
        };
        if depends(self.template()) || self.default.as_ref().is_some_and(depends) {
            return None;
        }
        let scope = Scope::new(run).with("config", config);
        // A fault shows where the string is used.
        let default = self.default.as_ref().map_or(Default::Itself, Default::Template);
        let value =
            self.interpolation.eval(&scope, Some(&self.parameters), default, ValidTypes::ANY);
        value.ok()?.to_json().ok()
    }
}

/// A template outside of any component's wrapper: the bare engine.
#[derive(Clone, Debug)]
pub struct Expression {
    interpolation: Interpolation,
    default: Option<Template>,
}

impl Expression {
    /// A template that is `None` when it is empty or undefined.
    pub fn new(source: &str) -> Self {
        Self { interpolation: Interpolation::new(source), default: None }
    }

    /// The same with a template for what is empty or undefined.
    #[must_use]
    pub fn with_default(mut self, default: &str) -> Self {
        self.default = Some(Template::parse(default));
        self
    }

    /// The template that was read.
    pub fn template(&self) -> &Template {
        self.interpolation.template()
    }

    /// The value; a literal of a type that is not valid stays text.
    pub fn eval<'a>(
        &'a self,
        scope: &Scope<'a>,
        parameters: Option<&'a Map>,
        valid_types: ValidTypes,
    ) -> Result<Value<'a>, EvalError> {
        let default = self.default.as_ref().map_or(Default::None, Default::Template);
        self.interpolation.eval(scope, parameters, default, valid_types)
    }
}

/// A condition of a manifest.
#[derive(Debug)]
pub struct InterpolatedBoolean {
    condition: Condition,
    parameters: Arc<Map>,
}

#[derive(Debug)]
enum Condition {
    Always(bool),
    Template(Box<Expression>),
}

impl InterpolatedBoolean {
    /// A condition with the parameters of its component.
    pub fn new(source: &str, parameters: Arc<Map>) -> Self {
        let expression = Expression::new(source).with_default("False");
        Self { condition: Condition::Template(Box::new(expression)), parameters }
    }

    /// A condition that is known.
    pub fn always(holds: bool) -> Self {
        Self { condition: Condition::Always(holds), parameters: Arc::default() }
    }

    /// The template that was read, if it is one.
    pub fn template(&self) -> Option<&Template> {
        match &self.condition {
            Condition::Always(_) => None,
            Condition::Template(expression) => Some(expression.template()),
        }
    }

    /// Whether the condition holds.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<bool, EvalError> {
        match &self.condition {
            Condition::Always(holds) => Ok(*holds),
            Condition::Template(expression) => {
                let value = expression.eval(scope, Some(&self.parameters), ValidTypes::ANY)?;
                Ok(!is_false(&value))
            }
        }
    }
}

/// A mapping of a manifest whose keys and texts are templates.
#[derive(Debug)]
pub struct InterpolatedMapping {
    items: Vec<(Expression, Node)>,
    parameters: Arc<Map>,
}

impl InterpolatedMapping {
    /// A mapping with the parameters of its component. Only texts are
    /// evaluated; nested containers stay as they are.
    pub fn new(mapping: &Map, parameters: Arc<Map>) -> Self {
        let items = mapping.iter().map(|(key, value)| {
            let value = match value {
                Json::String(text) => Node::Template(Box::new(Expression::new(text))),
                other => Node::Constant(other.clone()),
            };
            (Expression::new(key), value)
        });
        Self { items: items.collect(), parameters }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The evaluated mapping: keys are texts, or `None` when they are empty;
    /// literals among the values that are not of a valid type stay texts.
    pub fn eval<'a>(
        &'a self,
        scope: &Scope<'a>,
        valid_types: ValidTypes,
    ) -> Result<Dict<'a>, EvalError> {
        let mut dict = Dict::with_capacity(self.items.len());
        for (key, value) in &self.items {
            let key = key.eval(scope, Some(&self.parameters), ValidTypes::STR)?;
            let value = value.eval(scope, &self.parameters, valid_types)?;
            dict.insert(Key::new(key)?, value);
        }
        Ok(dict)
    }
}

/// A value of a manifest in which all texts, also those deep inside and the
/// keys, are templates.
#[derive(Debug)]
pub struct InterpolatedNestedMapping {
    root: Node,
    parameters: Arc<Map>,
}

impl InterpolatedNestedMapping {
    /// A value with the parameters of its component.
    pub fn new(value: &Json, parameters: Arc<Map>) -> Self {
        Self { root: Node::new(value), parameters }
    }

    /// The evaluated value. What is `None` vanishes from mappings, but not from lists.
    pub fn eval<'a>(&'a self, scope: &Scope<'a>) -> Result<Value<'a>, EvalError> {
        self.root.eval(scope, &self.parameters, ValidTypes::ANY)
    }
}

#[derive(Debug)]
enum Node {
    Template(Box<Expression>),
    Constant(Json),
    List(Vec<Node>),
    Dict(Vec<(Expression, Node)>),
}

impl Node {
    fn new(value: &Json) -> Self {
        match value {
            Json::String(text) => Self::Template(Box::new(Expression::new(text))),
            Json::Array(items) => Self::List(items.iter().map(Self::new).collect()),
            Json::Object(map) => Self::Dict(
                map.iter().map(|(key, value)| (Expression::new(key), Self::new(value))).collect(),
            ),
            other => Self::Constant(other.clone()),
        }
    }

    fn eval<'a>(
        &'a self,
        scope: &Scope<'a>,
        parameters: &'a Map,
        valid_types: ValidTypes,
    ) -> Result<Value<'a>, EvalError> {
        match self {
            Self::Template(template) => template.eval(scope, Some(parameters), valid_types),
            Self::Constant(json) => Ok(Value::from_json(json)),
            Self::List(items) => {
                let items = items.iter().map(|item| item.eval(scope, parameters, valid_types));
                Ok(Value::list(items.collect::<Result<_, _>>()?))
            }
            Self::Dict(items) => {
                let mut dict = Dict::with_capacity(items.len());
                for (key, value) in items {
                    let key = key.eval(scope, Some(parameters), valid_types)?;
                    let value = value.eval(scope, parameters, valid_types)?;
                    dict.insert(Key::new(key)?, value);
                }
                dict.retain(|_, value| !value.is_none());
                Ok(Value::dict(dict))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    /// The values of one string for a series of records.
    #[track_caller]
    fn check(source: &str, records: &[Json], expect: &[&str]) {
        let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
        let string = InterpolatedString::new(source, Arc::default());
        let values: Vec<String> = records
            .iter()
            .map(|record| {
                let scope = Scope::new(&run).with("record", record);
                match string.eval(&scope) {
                    Ok(value) => value.py_repr().unwrap(),
                    Err(err) => err.class_name().to_owned(),
                }
            })
            .collect();
        assert_eq!(values, expect);
    }

    #[test]
    fn a_template_that_first_yields_its_source_yields_it_for_ever() {
        let records = [json!({"a": "x"}), json!({"a": 1})];
        let source = "{{ record.a + 1 }}";
        check(source, &records, &["'{{ record.a + 1 }}'", "'{{ record.a + 1 }}'"]);
        let [text, number] = records;
        check(source, &[number, text], &["2", "'{{ record.a + 1 }}'"]);
    }

    #[test]
    fn paths_give_what_their_text_would() {
        let values = ["5", "a", "", "1_0", "2021-01-01", "None", "'q'", "[1, 2]", "1 # x"];
        let records: Vec<Json> = values.iter().map(|value| json!({"a": value})).collect();
        let expect = ["5", "'a'", "''", "10", "'2021-01-01'", "None", "'q'", "[1, 2]", "1"];
        check("{{ record.a }}", &records, &expect);
        check("{{ record['a'] }}", &records, &expect);
        check("{% if true %}{{ record.get('a') }}{% endif %}", &records, &expect);
    }

    #[track_caller]
    fn check_limit(source: &str, class_name: &str) {
        check(source, &[json!({"l": vec![0; 5000]})], &[class_name]);
    }

    #[test]
    fn senseless_templates_end() {
        check_limit("{{ 'a' * 10 ** 9 }}", "MemoryError");
        check_limit("{{ [0] * 10 ** 9 }}", "MemoryError");
        check_limit("{{ 10 ** (10 ** 9) }}", "MemoryError");
        check_limit("{{ 'a'.ljust(10 ** 9) }}", "MemoryError");
        check_limit("{{ '%999999999d' % 1 }}", "MemoryError");
        check_limit(
            "{% for a in record.l %}{% for b in record.l %}{% for c in record.l %}\
             {% endfor %}{% endfor %}{% endfor %}",
            "MemoryError",
        );
        check_limit("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError");
        let doubling = "{% set ns = namespace(x=['a']) %}{% for i in 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' \
                        %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}";
        check_limit(doubling, "MemoryError");
    }

    #[test]
    fn deep_values_are_dropped_without_recursion() {
        let deep = "{% set ns = namespace(x=[]) %}{% for i in 'a' * 50000 %}\
                    {% set ns.x = [{'k': (ns.x,)}] %}{% endfor %}x";
        check(deep, &[json!({})], &["'x'"]);
    }

    #[test]
    fn what_can_be_read_can_be_evaluated() {
        let sum = format!("{{{{ 0{} }}}}", " + 1".repeat(190));
        check(&sum, &[json!({})], &["190"]);
        let brackets = format!("{{{{ {}1{} }}}}", "(".repeat(60), ")".repeat(60));
        check(&brackets, &[json!({})], &["1"]);
        let filters = format!("{{{{ 5{} }}}}", " | abs".repeat(190));
        check(&filters, &[json!({})], &["5"]);
        let lists = format!("{{{{ {}{} }}}}x", "[".repeat(60), "]".repeat(60));
        check(&lists, &[json!({})], &[&format!("'{}{}x'", "[".repeat(60), "]".repeat(60))]);
    }

    #[test]
    fn circles_are_printed_once() {
        check(
            "{% set l = [1] %}{% set _ = l.append(l) %}x{{ l }}",
            &[json!({})],
            &["'x[1, [...]]'"],
        );
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "cases read better")]
    fn check_fold(source: &str, expect: Option<Json>) {
        let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
        let config = json!({"a": 1, "s": "x"});
        let config = config.as_object().unwrap();
        let parameters = Arc::new(config.clone());
        assert_eq!(InterpolatedString::new(source, parameters).fold(&run, config), expect);
    }

    #[test]
    fn what_only_the_configuration_decides_is_folded() {
        check_fold("plain", Some(json!("plain")));
        check_fold("5", Some(json!(5)));
        check_fold("{{ config.a + parameters.a }}", Some(json!(2)));
        check_fold("/{{ config.s }}/{{ parameters['s'] }}", Some(json!("/x/x")));
        check_fold("{{ record.a }}", None);
        check_fold("{{ now_utc() }}", None);
        check_fold("{{ config.missing.x }}", None);
    }

    #[test]
    fn templates_can_be_shared_between_threads() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Template>();
        is_shared::<InterpolatedString>();
        is_shared::<InterpolatedNestedMapping>();
    }
}
