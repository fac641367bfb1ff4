//! The functions that every template can call.

/// A global function; see [`Function::named`] for their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `camel_case_to_snake_case(text)`.
    CamelCaseToSnakeCase,
    /// `cycler(*items)`.
    Cycler,
    /// `day_delta(num_days, format)`.
    DayDelta,
    /// `dict(**items)`.
    Dict,
    /// `duration(text)`.
    Duration,
    /// `format_datetime(dt, format, input_format)`.
    FormatDatetime,
    /// `generate_uuid()`.
    GenerateUuid,
    /// `joiner(sep)`.
    Joiner,
    /// `json_loads(text)`; only given to JWT authenticators.
    JsonLoads,
    /// `lipsum(n, html, min, max)`.
    Lipsum,
    /// `max(*args)`.
    Max,
    /// `min(*args)`.
    Min,
    /// `namespace(**attributes)`.
    Namespace,
    /// `now_utc()`.
    NowUtc,
    /// `sanitize_url(text)`.
    SanitizeUrl,
    /// `str_to_datetime(text)`.
    StrToDatetime,
    /// `timestamp(dt)`.
    Timestamp,
    /// `today_utc()`.
    TodayUtc,
    /// `today_with_timezone(timezone)`.
    TodayWithTimezone,
}

impl Function {
    const GLOBALS: [Self; 18] = [
        Self::CamelCaseToSnakeCase,
        Self::Cycler,
        Self::DayDelta,
        Self::Dict,
        Self::Duration,
        Self::FormatDatetime,
        Self::GenerateUuid,
        Self::Joiner,
        Self::Lipsum,
        Self::Max,
        Self::Min,
        Self::Namespace,
        Self::NowUtc,
        Self::SanitizeUrl,
        Self::StrToDatetime,
        Self::Timestamp,
        Self::TodayUtc,
        Self::TodayWithTimezone,
    ];

    /// The function that every template knows by this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::GLOBALS.into_iter().find(|function| function.name() == name)
    }

    /// The name by which templates call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CamelCaseToSnakeCase => "camel_case_to_snake_case",
            Self::Cycler => "cycler",
            Self::DayDelta => "day_delta",
            Self::Dict => "dict",
            Self::Duration => "duration",
            Self::FormatDatetime => "format_datetime",
            Self::GenerateUuid => "generate_uuid",
            Self::Joiner => "joiner",
            Self::JsonLoads => "json_loads",
            Self::Lipsum => "lipsum",
            Self::Max => "max",
            Self::Min => "min",
            Self::Namespace => "namespace",
            Self::NowUtc => "now_utc",
            Self::SanitizeUrl => "sanitize_url",
            Self::StrToDatetime => "str_to_datetime",
            Self::Timestamp => "timestamp",
            Self::TodayUtc => "today_utc",
            Self::TodayWithTimezone => "today_with_timezone",
        }
    }

    /// Whether it is a class, which prints and types differently.
    fn is_class(self) -> bool {
        matches!(self, Self::Cycler | Self::Dict | Self::Joiner | Self::Namespace)
    }

    /// The name of its Python type.
    pub fn type_name(self) -> &'static str {
        if self.is_class() { "type" } else { "function" }
    }

    /// What `repr()` shows.
    pub(crate) fn repr(self) -> String {
        match self {
            Self::Cycler => "<class 'jinja2.utils.Cycler'>".to_owned(),
            Self::Dict => "<class 'dict'>".to_owned(),
            Self::Joiner => "<class 'jinja2.utils.Joiner'>".to_owned(),
            Self::Namespace => "<class 'jinja2.utils.Namespace'>".to_owned(),
            Self::Lipsum => "<function generate_lorem_ipsum at 0x7f0000000000>".to_owned(),
            Self::JsonLoads => "<function loads at 0x7f0000000000>".to_owned(),
            function => format!("<function {} at 0x7f0000000000>", function.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globals_are_known_by_name() {
        assert_eq!(Function::named("now_utc"), Some(Function::NowUtc));
        assert_eq!(Function::named("range"), None);
        // Only a JWT authenticator's templates have it.
        assert_eq!(Function::named("json_loads"), None);
    }
}
