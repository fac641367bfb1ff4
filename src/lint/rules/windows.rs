//! Incremental streams, and the times they are told.

use crate::lint::fields::SLICE;
use crate::lint::{Component, Lint, Report, Rule, rule};
use crate::manifest::Node;
use crate::template::time::{DatetimeFormat, Span};
use crate::template::{Template, UseKind};

pub(super) const RULES: &[Rule] = &[
    rule!(
        "window-not-sent",
        Warning,
        "no request of an incremental stream says which window it wants",
        window_not_sent
    ),
    rule!(
        "step-without-granularity",
        Error,
        "a cursor has one of `step` and `cursor_granularity` without the other",
        step
    ),
    rule!("bad-datetime", Error, "a moment is not written in its format", bad_datetime),
    rule!("bad-duration", Error, "a length of time is no ISO 8601 duration", bad_duration),
];

/// Fields that hold a length of time, by component.
const DURATIONS: [(&str, &[&str]); 6] = [
    ("DatetimeBasedCursor", &["step", "lookback_window", "cursor_granularity"]),
    ("FixedWindowCallRatePolicy", &["period"]),
    ("Rate", &["interval"]),
    ("RateLimitedMultipleTokenAuthenticator", &["max_wait_time"]),
    ("SessionTokenAuthenticator", &["expiration_duration"]),
    ("StateDelegatingStream", &["api_retention_period"]),
];

fn window_not_sent(lint: &Lint<'_>, report: &mut Report<'_>) {
    for cursor in lint.of_type("DatetimeBasedCursor").filter(|it| it.field == "incremental_sync") {
        let Some(stream) =
            lint.around(cursor).next().filter(|it| it.type_name == "DeclarativeStream")
        else {
            continue;
        };
        let flags =
            ["start_time_option", "end_time_option", "is_client_side_incremental", "is_data_feed"];
        let is_handled = flags.iter().any(|flag| cursor.node.has(flag));
        let is_opaque = lint.below(stream).iter().any(Component::is_custom);
        let is_plain =
            lint.child(stream, "retriever").is_some_and(|it| it.type_name == "SimpleRetriever");
        // This one is there to read everything.
        let is_whole = stream.field == "full_refresh_stream";
        if is_handled || is_opaque || !is_plain || is_whole || reads_window(lint, stream, cursor) {
            continue;
        }
        let mut message =
            "no request depends on the window, and no record outside of it is left out: every sync \
             reads everything again"
                .to_owned();
        if cursor.node.has("step") {
            message.push_str(", once for each window");
        }
        let finding = report.at(&cursor.path, cursor.get("type").unwrap_or(cursor.node), message);
        let help = "add a `start_time_option`, use `stream_interval` in the request, or set \
                    `is_client_side_incremental`";
        report.add(finding.help(help));
    }
}

/// Whether something of a stream depends on the window that is read, or on the time of the sync.
fn reads_window(lint: &Lint<'_>, stream: &Component<'_>, cursor: &Component<'_>) -> bool {
    let fields = [("partition_field_start", "start_time"), ("partition_field_end", "end_time")];
    let keys = fields.map(|(field, default)| {
        cursor.text(field).filter(|text| !text.is_empty()).unwrap_or(default)
    });
    let is_window = |key: Option<&str>| {
        key.is_none_or(|key| {
            keys.iter().any(|it| *it == key || it.contains('{')) || key == "cursor_slice"
        })
    };
    let requester = lint.child(stream, "retriever").and_then(|it| lint.child(it, "requester"));
    let is_now =
        |name: &str| ["now_utc", "today_utc", "today_with_timezone", "day_delta"].contains(&name);
    let mut in_requests = requester.into_iter().flat_map(|it| lint.texts_of(it));
    in_requests.any(|text| text.template.uses().iter().any(|it| is_now(&it.name)))
        || lint
            .own_texts(stream)
            .any(|text| SLICE.iter().any(|name| text.keys(name).any(is_window)))
}

fn step(lint: &Lint<'_>, report: &mut Report<'_>) {
    for cursor in lint.of_type("DatetimeBasedCursor") {
        let has = |field: &str| cursor.node.has(field);
        let (there, missing) = match (has("step"), has("cursor_granularity")) {
            (true, false) => ("step", "cursor_granularity"),
            (false, true) => ("cursor_granularity", "step"),
            _ => continue,
        };
        let message = format!("`{there}` needs `{missing}`: the stream cannot be built without it");
        report.add(report.in_span(&cursor.path, cursor.key_span(there), message));
    }
}

fn bad_datetime(lint: &Lint<'_>, report: &mut Report<'_>) {
    for cursor in lint.of_type("DatetimeBasedCursor") {
        let Some(format) = cursor.text("datetime_format") else { continue };
        for field in ["start_datetime", "end_datetime"] {
            if let Some(value) = cursor.get(field) {
                check_datetime(value, &cursor.path_of(field), format, report);
            }
        }
        for moment in lint.below(cursor).iter().filter(|it| it.type_name == "MinMaxDatetime") {
            let own = moment.text("datetime_format").filter(|format| !format.is_empty());
            for field in ["datetime", "min_datetime", "max_datetime"] {
                if let Some(value) = moment.get(field) {
                    check_datetime(value, &moment.path_of(field), own.unwrap_or(format), report);
                }
            }
        }
    }
}

fn check_datetime(value: &Node, path: &str, format: &str, report: &mut Report<'_>) {
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return };
    if Template::parse(text).is_literal() && DatetimeFormat::new(format).parse(text).is_err() {
        let message = format!("`{text}` is not written as `{format}`: the stream cannot be built");
        report.add(report.at(path, value, message));
    }
}

fn bad_duration(lint: &Lint<'_>, report: &mut Report<'_>) {
    for (type_name, fields) in DURATIONS {
        for component in lint.of_type(type_name) {
            for field in fields {
                let Some(value) = component.get(field) else { continue };
                let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { continue };
                if Template::parse(text).is_literal() && Span::parse(text).is_err() {
                    let finding = report.at(&component.path_of(field), value, no_duration(text));
                    report.add(finding.help(DURATION_HELP));
                }
            }
        }
    }
    for text in lint.texts() {
        let uses = text.template.uses().into_iter();
        for call in uses.filter(|it| it.kind == UseKind::Function && it.name == "duration") {
            let Some(Some(literal)) = call.texts.first() else { continue };
            if Span::parse(literal).is_err() {
                let span = lint.word_in(text.node, literal);
                let finding = report.in_span(&text.path, span, no_duration(literal));
                report.add(finding.help(DURATION_HELP));
            }
        }
    }
}

const DURATION_HELP: &str =
    "ISO 8601 writes thirty days as `P30D`, two hours as `PT2H`, one month as `P1M`";

fn no_duration(text: &str) -> String {
    format!("`{text}` is no ISO 8601 duration")
}
