//! `Rate`: so many requests in so much time.

use std::time::Duration;

use crate::components::shape::{IntOrTemplate, Text, shape};
use crate::components::{BuildContext, BuildError, Parameters};
use crate::template::InterpolatedString;
use crate::template::time::Span;
use crate::value::{python_int, python_repr};

/// The YAML shape.
pub mod yaml {
    use super::{IntOrTemplate, Text, shape};

    shape! {
        /// A number of requests in a span of time.
        pub struct Rate: untyped {
            /// The number.
            limit: IntOrTemplate,
            /// The span, as an ISO 8601 duration.
            interval: Text,
        }
    }
}

/// See the module documentation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) limit: u32,
    pub(super) interval: Duration,
}

impl Rate {
    pub(super) fn build(shape: &yaml::Rate, cx: &BuildContext<'_>) -> Result<Self, BuildError> {
        let limit = match &shape.limit {
            IntOrTemplate::Int(limit) => *limit,
            IntOrTemplate::Template(text) => {
                let template = InterpolatedString::new(text, Parameters::default());
                let limit = cx.surroundings().eval(|scope| template.eval_json(&scope))?;
                python_int(&limit).ok_or_else(|| {
                    let message = format!("the limit is not an integer: {}", python_repr(&limit));
                    BuildError::in_span(text.span, message)
                })?
            }
        };
        let limit = u32::try_from(limit).map_err(|_| {
            BuildError::in_span(shape.span, format!("a limit of {limit} requests makes no sense"))
        })?;
        Ok(Self { limit, interval: duration(&shape.interval)? })
    }
}

/// The length of a duration without months and years.
pub(super) fn duration(text: &Text) -> Result<Duration, BuildError> {
    match Span::parse(text)? {
        Span::Exact(delta) => {
            Ok(Duration::try_from_secs_f64(delta.total_seconds()).unwrap_or_default())
        }
        Span::Calendar(_) => {
            let message = format!("`{}` has no fixed length", &**text);
            Err(BuildError::in_span(text.span, message))
        }
    }
}
