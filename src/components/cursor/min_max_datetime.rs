//! `MinMaxDatetime`: a moment that the config decides, kept within bounds.

use crate::components::shape::{Text, either, shape};
use crate::components::{BuildContext, BuildError, Parameters};
use crate::template::time::{DateTime, DatetimeFormat};
use crate::template::{EvalError, InterpolatedString, Scope};

/// The YAML shape.
pub mod yaml {
    use super::{Text, either, shape};

    shape! {
        /// A moment that the config decides, kept within bounds.
        pub struct MinMaxDatetime {
            /// The moment.
            datetime: Text,
            /// The format of the moment and its bounds; that of the cursor when it is empty.
            datetime_format: String = String::new(),
            /// The latest moment it can be.
            max_datetime: Option<Text>,
            /// The earliest moment it can be.
            min_datetime: Option<Text>,
        }
    }

    either! {
        /// A moment, with or without bounds.
        pub enum DatetimeOrText { Text(Text) if |node| node.as_str().is_some(), MinMax(MinMaxDatetime) }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct MinMaxDatetime {
    datetime: InterpolatedString,
    min: Option<InterpolatedString>,
    max: Option<InterpolatedString>,
    format: DatetimeFormat,
    /// The moment, when nothing but the config decides it.
    fixed: Option<DateTime>,
}

impl MinMaxDatetime {
    /// Builds it in a cursor with these parameters and this format.
    pub(super) fn build(
        shape: &yaml::DatetimeOrText,
        parameters: &Parameters,
        format: &str,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let template = |text: &Text, parameters: &Parameters| {
            InterpolatedString::new(text, parameters.clone())
        };
        let mut built = match shape {
            yaml::DatetimeOrText::Text(text) => Self {
                datetime: template(text, parameters),
                min: None,
                max: None,
                format: DatetimeFormat::new(format),
                fixed: None,
            },
            yaml::DatetimeOrText::MinMax(shape) => {
                let bound = |text: &Option<Text>| {
                    let text = text.as_ref().filter(|text| !text.is_empty());
                    text.map(|text| template(text, &shape.parameters))
                };
                let own_format = Some(shape.datetime_format.as_str()).filter(|it| !it.is_empty());
                Self {
                    datetime: template(&shape.datetime, &shape.parameters),
                    min: bound(&shape.min_datetime),
                    max: bound(&shape.max_datetime),
                    format: DatetimeFormat::new(own_format.unwrap_or(format)),
                    fixed: None,
                }
            }
        };
        let config = cx.config.snapshot();
        let run = &cx.environment.run;
        let parts = [Some(&built.datetime), built.min.as_ref(), built.max.as_ref()];
        if parts.into_iter().flatten().all(|part| part.fold(run, &config).is_some()) {
            built.fixed = Some(built.eval(&cx.scope(&config))?);
        }
        Ok(built)
    }

    /// The moment.
    pub(super) fn eval(&self, scope: &Scope<'_>) -> Result<DateTime, EvalError> {
        if let Some(fixed) = self.fixed {
            return Ok(fixed);
        }
        let mut moment = self.format.parse(&self.datetime.eval_string(scope)?)?;
        if let Some(min) = self.bound(self.min.as_ref(), scope)?
            && min.utc_micros() > moment.utc_micros()
        {
            moment = min;
        }
        if let Some(max) = self.bound(self.max.as_ref(), scope)?
            && max.utc_micros() < moment.utc_micros()
        {
            moment = max;
        }
        Ok(moment)
    }

    /// A bound; one that comes out empty is none.
    fn bound(
        &self,
        bound: Option<&InterpolatedString>,
        scope: &Scope<'_>,
    ) -> Result<Option<DateTime>, EvalError> {
        let Some(bound) = bound else { return Ok(None) };
        let text = bound.eval_string(scope)?;
        if text.is_empty() { Ok(None) } else { Ok(Some(self.format.parse(&text)?)) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::shape::{FieldValue, Reader};
    use crate::components::testing::World;
    use crate::manifest::{Findings, Node};
    use crate::value::Json;

    #[track_caller]
    fn check(written: &Json, expect: &str) {
        let world = World::new(&json!({"start": "2024-02-01", "end": ""}));
        let cx = world.cx();
        let mut findings = Findings::default();
        let shape = yaml::DatetimeOrText::read(
            &Node::from_json(written, None),
            &mut Reader::new(cx.registry, &mut findings),
        );
        let config = cx.config.snapshot();
        let moment =
            MinMaxDatetime::build(&shape.unwrap(), &Parameters::default(), "%Y-%m-%d", &cx)
                .and_then(|built| Ok(built.eval(&cx.scope(&config))?));
        let got = moment.map_or_else(|err| format!("error: {err}"), |it| it.to_string());
        assert_eq!(got, expect, "{written}");
    }

    fn bounded(fields: &Json) -> Json {
        let mut written = json!({"type": "MinMaxDatetime"});
        written.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        written
    }

    #[test]
    fn a_text_has_the_format_of_the_cursor() {
        check(&json!("2024-01-02"), "2024-01-02 00:00:00+00:00");
        check(&json!("{{ config.start }}"), "2024-02-01 00:00:00+00:00");
        check(&json!("{{ now_utc().strftime('%Y-%m-%d') }}"), "2024-05-06 00:00:00+00:00");
        check(&json!("x"), "error: time data 'x' does not match format '%Y-%m-%d'");
    }

    #[test]
    fn bounds_hold() {
        let datetime = "{{ config.start }}";
        let of = |min: &str, max: &str| {
            bounded(&json!({"datetime": datetime, "min_datetime": min, "max_datetime": max}))
        };
        check(&of("2024-01-01", "2024-03-01"), "2024-02-01 00:00:00+00:00");
        check(&of("2024-02-15", "2024-03-01"), "2024-02-15 00:00:00+00:00");
        check(&of("", "2024-01-15"), "2024-01-15 00:00:00+00:00");
        check(&of("", "{{ config.end }}"), "2024-02-01 00:00:00+00:00");
    }

    #[test]
    fn its_own_format_comes_first() {
        let written = bounded(&json!({"datetime": "1704067200", "datetime_format": "%s"}));
        check(&written, "2024-01-01 00:00:00+00:00");
    }
}
