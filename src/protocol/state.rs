//! The state that a run starts from.

use std::collections::HashMap;
use std::io::BufRead;

use serde_json::json;

use super::error::{InputError, MergeError};
use super::incoming::Incoming;
use crate::value::{self, Json, Map, is_truthy};

/// States by the name of their stream.
pub type States = HashMap<String, Map>;

/// Above so many partitions a stream keeps one state for all.
pub const MAX_PARTITION_STATES: usize = 10_000;

/// Reads a list of state messages as the reference does.
///
/// Only messages of type STREAM count, or the states inside of one lone
/// GLOBAL message; of two for one stream the last. A state with a namespace is
/// that of another stream: none of ours has one. Anything empty is no state.
pub fn read_states(document: &Json) -> Result<States, InputError> {
    if !is_truthy(document) {
        return Ok(States::new());
    }
    let messages = Incoming::root(document);
    let messages = messages.items()?.map(StateMessage::read).collect::<Result<Vec<_>, _>>()?;
    let mut states = States::new();
    match messages.as_slice() {
        [StateMessage { kind: Some(Kind::Global), global, .. }] => {
            let Some(global) = global else {
                return Err(InputError::Missing { name: "global", place: "0/global".to_owned() });
            };
            if global.optional("shared_state")?.is_some() {
                return Err(InputError::SharedState);
            }
            for stream in global.required("stream_states")?.items()? {
                insert_state(&mut states, &stream)?;
            }
        }
        messages => {
            for message in messages.iter().filter(|message| message.kind == Some(Kind::Stream)) {
                insert_state(&mut states, &message.message.required("stream")?)?;
            }
        }
    }
    Ok(states)
}

/// Reads the states that `file` keeps; see [`kept_messages`].
pub fn read_kept_states(text: impl BufRead, file: &str) -> Result<States, MergeError> {
    read_states(&kept_messages(text, file)?)
        .map_err(|source| MergeError::State { file: file.to_owned(), source })
}

/// The state messages that `file` keeps: a list of them, or those in the output of a read, of which
/// the last one of each stream is given.
pub fn kept_messages(mut text: impl BufRead, file: &str) -> Result<Json, MergeError> {
    let io = |source| MergeError::Io { file: file.to_owned(), source };
    let parse = |text: &[u8], line| {
        let source = |source| MergeError::Json { file: file.to_owned(), line, source };
        value::parse(text).map_err(source)
    };
    let mut messages = Vec::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if text.read_until(b'\n', &mut line).map_err(io)? == 0 {
            break;
        }
        if messages.is_empty() && line.trim_ascii_start().starts_with(b"[") {
            text.read_to_end(&mut line).map_err(io)?;
            messages = match parse(&line, number)? {
                Json::Array(messages) => messages,
                other => vec![other],
            };
            break;
        }
        // Records may be many, and are not looked at.
        if line.trim_ascii().is_empty() || line.starts_with(br#"{"type":"RECORD""#) {
            continue;
        }
        let mut message = parse(&line, number)?;
        let message = match message.get("type").and_then(Json::as_str) {
            Some("STATE") => message["state"].take(),
            Some("STREAM" | "GLOBAL") => message,
            _ => continue,
        };
        let stream = message.pointer(DESCRIPTOR);
        messages.retain(|other: &Json| stream.is_none() || other.pointer(DESCRIPTOR) != stream);
        messages.push(message);
    }
    Ok(Json::Array(messages))
}

/// Where in a state message the stream stands.
const DESCRIPTOR: &str = "/stream/stream_descriptor";

/// Which of the messages that can be read make no difference, and why, in sentences.
pub fn unread_messages(messages: &Json) -> Vec<String> {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let kind = |message: &Json| message.get("type").and_then(Json::as_str).map(str::to_owned);
    if let [message] = messages
        && kind(message).as_deref() == Some("GLOBAL")
    {
        return Vec::new();
    }
    let sentence = |(idx, message): (usize, &Json)| {
        let place = format!("message {} of the state", idx + 1);
        match kind(message) {
            None => return Some(format!("{place} has no type, and is not read")),
            Some(kind) if kind != "STREAM" => {
                return Some(format!("{place} is of type {kind}, and is not read"));
            }
            Some(_) => {}
        }
        let descriptor = message.pointer(DESCRIPTOR)?;
        let namespace = descriptor.get("namespace").filter(|it| !it.is_null())?;
        let name = descriptor.get("name")?.as_str()?;
        Some(format!(
            "{place} is of `{name}` in the namespace {namespace}, and no stream of a manifest has one"
        ))
    };
    messages.iter().enumerate().filter_map(sentence).collect()
}

/// The list of state messages that a read can start from, in the order of the streams' names.
pub fn state_messages(states: &States) -> Json {
    let mut streams: Vec<_> = states.iter().collect();
    streams.sort_unstable_by_key(|(name, _)| *name);
    let message = |(name, state): (&String, &Map)| json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": state}});
    streams.into_iter().map(message).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Global,
    Stream,
    Legacy,
}

struct StateMessage<'a> {
    message: Incoming<'a>,
    kind: Option<Kind>,
    global: Option<Incoming<'a>>,
}

impl<'a> StateMessage<'a> {
    fn read(message: Incoming<'a>) -> Result<Self, InputError> {
        let kind = match message.optional("type")? {
            None => None,
            Some(kind) => Some(match kind.one_of(&["GLOBAL", "STREAM", "LEGACY"])? {
                "GLOBAL" => Kind::Global,
                "STREAM" => Kind::Stream,
                _ => Kind::Legacy,
            }),
        };
        let global = message.optional("global")?;
        let legacy = message.optional("data")?.map(|data| data.object()).transpose()?;
        let has_legacy = legacy.is_some_and(|data| !data.is_empty());
        if message.optional("stream")?.is_none() && global.is_none() && !has_legacy {
            return Err(InputError::EmptyState { place: message.place().to_owned() });
        }
        Ok(Self { message, kind, global })
    }
}

fn insert_state(states: &mut States, stream: &Incoming<'_>) -> Result<(), InputError> {
    let descriptor = stream.required("stream_descriptor")?;
    let name = descriptor.required("name")?.text()?;
    let state = stream.optional("stream_state")?.filter(|state| !state.is_empty());
    let state = state.map(|state| state.object()).transpose()?;
    if descriptor.optional("namespace")?.map(|namespace| namespace.text()).transpose()?.is_none() {
        states.insert(name.to_owned(), state.cloned().unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(document: &Json, expect: &Json) {
        let states = read_states(document).map(|states| json!(states));
        assert_eq!(states.map_err(|err| err.to_string()), Ok(expect.clone()));
    }

    #[track_caller]
    fn check_error(document: &Json, expect: &str) {
        let message = read_states(document).unwrap_err().to_string();
        assert!(message.starts_with(expect), "{message}");
    }

    fn of_stream(name: &str, state: &Json) -> Json {
        json!({"stream_descriptor": {"name": name}, "stream_state": state})
    }

    #[test]
    fn nothing_is_no_state() {
        for nothing in [json!(null), json!([]), json!({}), json!("")] {
            check(&nothing, &json!({}));
        }
    }

    #[test]
    fn the_last_state_of_a_stream_counts() {
        let message = |name, state| json!({"type": "STREAM", "stream": of_stream(name, &state)});
        check(
            &json!([
                message("a", json!({"x": 1})),
                message("b", json!(null)),
                message("a", json!({"x": null})),
            ]),
            &json!({"a": {"x": null}, "b": {}}),
        );
    }

    #[test]
    fn other_messages_are_ignored() {
        check(
            &json!([
                {"type": "LEGACY", "data": {"a": {}}},
                {"stream": of_stream("a", &json!({}))},
                {"type": "GLOBAL", "global": {"stream_states": [of_stream("a", &json!({}))]}},
                {"type": "STREAM", "stream": {
                    "stream_descriptor": {"name": "a", "namespace": "n"}, "stream_state": {},
                }},
            ]),
            &json!({}),
        );
    }

    #[test]
    fn a_lone_global_state_is_that_of_its_streams() {
        let global = json!({"stream_states": [of_stream("a", &json!({"x": 1}))]});
        check(&json!([{"type": "GLOBAL", "global": global}]), &json!({"a": {"x": 1}}));
        check_error(
            &json!([{"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": []}}]),
            "Received a GLOBAL AirbyteStateMessage that contains a shared_state.",
        );
    }

    #[test]
    fn an_empty_list_or_text_is_no_state() {
        for nothing in [json!([]), json!("")] {
            check(
                &json!([{"type": "STREAM", "stream": of_stream("a", &nothing)}]),
                &json!({"a": {}}),
            );
        }
    }

    #[test]
    fn faults_have_a_place() {
        check_error(
            &json!([{"type": "GLOBAL", "stream": of_stream("a", &json!({}))}]),
            r#""global" is a required property (instance_path='0/global')"#,
        );
        check_error(&json!({"a": 1}), r#"{"a":1} is not of type "list" (instance_path='')"#);
        check_error(&json!(["x"]), r#""x" is not of type "object" (instance_path='0')"#);
        check_error(
            &json!([{"type": "stream", "stream": {}}]),
            r#""stream" is not one of ["GLOBAL", "STREAM", "LEGACY"] (instance_path='0/type')"#,
        );
        check_error(
            &json!([{"type": "STREAM"}]),
            "AirbyteStateMessage should contain either a stream, global, or state field",
        );
        check_error(
            &json!([{"type": "STREAM", "stream": {}}]),
            r#""stream_descriptor" is a required property (instance_path='0/stream/stream_descriptor')"#,
        );
        check_error(
            &json!([{"type": "STREAM", "stream": of_stream("a", &json!([1]))}]),
            r#"[1] is not of type "object" (instance_path='0/stream/stream_state')"#,
        );
    }

    #[track_caller]
    fn check_kept(text: &str, expect: Result<Json, &str>) {
        let states = read_kept_states(text.as_bytes(), "f").map(|states| json!(states));
        let expect = expect.map_err(str::to_owned);
        assert_eq!(states.map_err(|err| err.to_string()), expect);
    }

    #[test]
    fn states_are_kept_as_a_list_or_as_output() {
        let stream = |name: &str, x: i64| json!({"type": "STREAM", "stream": of_stream(name, &json!({"x": x}))});
        let expect = json!({"a": {"x": 3}, "b": {"x": 2}});
        check_kept(
            &format!("\n {:#}", json!([stream("a", 3), stream("b", 2)])),
            Ok(expect.clone()),
        );
        let line = |name, x| json!({"type": "STATE", "state": stream(name, x)});
        let record = r#"{"type":"RECORD","record":{"stream":"a","data":{"not": looked at"#;
        let log = r#"{"type":"LOG","log":{"level":"INFO","message":"x"}}"#;
        let output = [
            &line("a", 1).to_string(),
            record,
            &line("b", 2).to_string(),
            "",
            log,
            &line("a", 3).to_string(),
        ];
        check_kept(&output.join("\n"), Ok(expect.clone()));
        check_kept(&format!("{}\n{}", stream("a", 3), stream("b", 2)), Ok(expect));
        check_kept("", Ok(json!({})));
    }

    #[test]
    fn faults_of_kept_states_have_a_place() {
        check_kept("\nx", Err("f:2: this is no JSON: Expecting value: line 1 column 1 (char 0)"));
        check_kept(
            r#"{"type":"STREAM"}"#,
            Err(
                "f: AirbyteStateMessage should contain either a stream, global, or state field (instance_path='0')",
            ),
        );
    }

    #[test]
    fn messages_are_in_the_order_of_names() {
        let states = States::from([("b".to_owned(), Map::new()), ("a".to_owned(), Map::new())]);
        let messages = state_messages(&states);
        assert_eq!(messages[0]["stream"]["stream_descriptor"]["name"], "a");
        assert_eq!(read_states(&messages), Ok(states));
    }
}
