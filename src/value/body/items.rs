//! Items pulled out of a JSON text while it still arrives.
//!
//! Only the item that is being received is held, and on request the envelope:
//! the text around the items, with an empty list in their place.

use crate::value::Json;
use crate::value::error::{ParseError, ParseProblem};
use crate::value::parse::{MAX_DEPTH, parse};
use crate::value::scan::plain_prefix_len;

/// Finds the items of the lists at one path, in a text that comes in pieces.
#[derive(Debug)]
pub struct ItemStream {
    style: PathStyle,
    /// Where the lists are, in the style's writing.
    target: String,
    /// Where we are, in the same writing.
    here: String,
    /// The containers that are open outside of items.
    frames: Vec<Frame>,
    expected: Expected,
    capture: Option<Capture>,
    /// The bytes of the key, the scalar, or the item that is being received.
    token: Vec<u8>,
    envelope: Option<Vec<u8>>,
    /// How many bytes were read.
    n_read: usize,
}

/// Takes items as they are written.
pub trait Items {
    /// Takes an item; an error ends the reading.
    fn item(&mut self, text: &[u8]) -> Result<(), ParseError>;
}

/// Keeps the values.
impl Items for Vec<Json> {
    fn item(&mut self, text: &[u8]) -> Result<(), ParseError> {
        self.push(parse(text)?);
        Ok(())
    }
}

/// How a place in the text is written.
#[derive(Clone, Copy, Debug)]
struct PathStyle {
    /// Stands before every name.
    separator: &'static str,
    /// Stands for "an item of this list".
    item: &'static str,
}

#[derive(Debug)]
struct Frame {
    is_list: bool,
    /// The length of `here` when only this container is open.
    here_len: usize,
    /// Whether this is a list whose items are wanted.
    is_target: bool,
}

/// What may come next, outside of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    /// A comma, the end of the container, or the end of the text.
    Next,
}

/// A token of which the end has not been seen.
#[derive(Clone, Copy, Debug)]
enum Capture {
    Scalar,
    Text { is_escaped: bool },
    Container { depth: usize, text: Option<bool> },
}

impl ItemStream {
    /// The items of the list that stands under `keys`, which lead through
    /// objects only; the envelope is kept.
    pub fn under_keys(keys: &[String]) -> Self {
        // No key of sane data holds this character.
        let style = PathStyle { separator: "\0", item: "\0" };
        Self { envelope: Some(Vec::new()), ..Self::new(style, keys.iter().map(String::as_str)) }
    }

    /// The items of all lists at a dotted path, in which `item` is any item of
    /// a list (`data.item.users`), as the library `ijson` of the reference has it.
    pub fn at_dotted_path(path: &str) -> Self {
        Self::new(PathStyle { separator: ".", item: "item" }, [path])
    }

    fn new<'a>(style: PathStyle, target: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            style,
            target: target
                .into_iter()
                .fold(String::new(), |path, name| path + style.separator + name),
            here: String::new(),
            frames: Vec::new(),
            expected: Expected::Value,
            capture: None,
            token: Vec::new(),
            envelope: None,
            n_read: 0,
        }
    }

    /// Takes the next bytes, and gives out the items they complete (also when
    /// there is an error behind them).
    pub fn feed(&mut self, bytes: &[u8], items: &mut impl Items) -> Result<(), ParseError> {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            let problem = if let Some(capture) = self.capture {
                let (taken, is_complete) = self.capture(capture, rest);
                self.n_read += taken;
                rest = &rest[taken..];
                if is_complete { self.end_token(items) } else { Ok(()) }
            } else {
                let result = self.structure(byte);
                // A token begins with this byte, and reads it again.
                if self.capture.is_none() {
                    self.n_read += 1;
                    rest = behind;
                }
                result
            };
            problem.map_err(|problem| ParseError::at_byte(self.n_read, problem))?;
        }
        Ok(())
    }

    /// How many bytes are held: of an item, and of the envelope.
    pub fn n_held(&self) -> usize {
        self.token.len() + self.envelope.as_ref().map_or(0, Vec::len)
    }

    /// Ends the text; gives the envelope when it is kept.
    pub fn finish(&mut self, items: &mut impl Items) -> Result<Option<Json>, ParseError> {
        if let Some(Capture::Scalar) = self.capture {
            self.end_token(items).map_err(|problem| ParseError::at_byte(self.n_read, problem))?;
        }
        if self.expected != Expected::Next || !self.frames.is_empty() || self.capture.is_some() {
            return Err(ParseError::at_byte(self.n_read, ParseProblem::Incomplete));
        }
        self.envelope.take().map(|envelope| parse(&envelope)).transpose()
    }

    fn is_in_target(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.is_target)
    }

    /// Reads a byte between tokens, or begins the token that starts with it.
    fn structure(&mut self, byte: u8) -> Result<(), ParseProblem> {
        let in_list = self.frames.last().is_some_and(|frame| frame.is_list);
        match (byte, self.expected) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => {}
            (b'"', Expected::Key | Expected::KeyOrEnd) => self.begin_token(byte),
            (b':', Expected::Colon) => {
                self.expected = Expected::Value;
                self.keep(b":");
            }
            (b',', Expected::Next) if !self.frames.is_empty() => {
                self.expected = if in_list { Expected::Value } else { Expected::Key };
                if !self.is_in_target() {
                    self.keep(b",");
                }
            }
            (b']', Expected::Next | Expected::ValueOrEnd) if in_list => self.close(byte),
            (b'}', Expected::Next | Expected::KeyOrEnd) if !in_list && !self.frames.is_empty() => {
                self.close(byte);
            }
            (b'{' | b'[', Expected::Value | Expected::ValueOrEnd) if !self.is_in_target() => {
                self.open(byte)?;
            }
            (_, Expected::Value | Expected::ValueOrEnd) => self.begin_token(byte),
            (_, Expected::Key | Expected::KeyOrEnd) => return Err(ParseProblem::NoKey),
            (_, Expected::Colon) => return Err(ParseProblem::NoColon),
            (_, Expected::Next) if self.frames.is_empty() => return Err(ParseProblem::ExtraData),
            (_, Expected::Next) => return Err(ParseProblem::NoComma),
        }
        Ok(())
    }

    fn open(&mut self, byte: u8) -> Result<(), ParseProblem> {
        if self.frames.len() == MAX_DEPTH {
            return Err(ParseProblem::TooDeep);
        }
        let is_list = byte == b'[';
        let is_target = is_list && self.here == self.target;
        if is_list {
            self.step_into(self.style.item);
        }
        self.frames.push(Frame { is_list, here_len: self.here.len(), is_target });
        self.expected = if is_list { Expected::ValueOrEnd } else { Expected::KeyOrEnd };
        self.keep(&[byte]);
        Ok(())
    }

    fn close(&mut self, byte: u8) {
        self.frames.pop();
        self.keep(&[byte]);
        self.end_value();
    }

    /// A value has ended: we are back where its container is.
    fn end_value(&mut self) {
        self.here.truncate(self.frames.last().map_or(0, |frame| frame.here_len));
        self.expected = Expected::Next;
    }

    fn step_into(&mut self, name: &str) {
        self.here.push_str(self.style.separator);
        self.here.push_str(name);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some(envelope) = &mut self.envelope {
            envelope.extend_from_slice(bytes);
        }
    }

    fn begin_token(&mut self, byte: u8) {
        self.capture = Some(match byte {
            b'"' => Capture::Text { is_escaped: false },
            b'{' | b'[' => Capture::Container { depth: 0, text: None },
            _ => Capture::Scalar,
        });
    }

    /// Takes the bytes of `rest` that belong to the token; tells how many, and
    /// whether it is complete.
    fn capture(&mut self, capture: Capture, rest: &[u8]) -> (usize, bool) {
        let (next, len, is_complete) = match capture {
            Capture::Scalar => {
                let ends =
                    |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
                // At least the first byte is its own, so that we get on.
                let first = usize::from(self.token.is_empty());
                match rest[first..].iter().position(ends) {
                    Some(len) => (capture, first + len, true),
                    None => (capture, rest.len(), false),
                }
            }
            Capture::Text { is_escaped } => {
                let opening = usize::from(self.token.is_empty());
                let (len, is_escaped) = text_end(&rest[opening..], is_escaped);
                match is_escaped {
                    Some(is_escaped) => (Capture::Text { is_escaped }, opening + len, false),
                    None => (capture, opening + len, true),
                }
            }
            Capture::Container { depth, text } => container_end(rest, depth, text),
        };
        self.capture = Some(next);
        self.token.extend_from_slice(&rest[..len]);
        (len, is_complete)
    }

    fn end_token(&mut self, items: &mut impl Items) -> Result<(), ParseProblem> {
        self.capture = None;
        if self.is_in_target() {
            let result = items.item(&self.token);
            self.token.clear();
            self.end_value();
            return result.map_err(|err| err.problem());
        }
        let value = parse(&self.token).map_err(|err| err.problem())?;
        let is_key = matches!(self.expected, Expected::Key | Expected::KeyOrEnd);
        if let Some(envelope) = &mut self.envelope {
            envelope.extend_from_slice(&self.token);
        }
        self.token.clear();
        match value {
            Json::String(key) if is_key => {
                self.step_into(&key);
                self.expected = Expected::Colon;
            }
            _ => self.end_value(),
        }
        Ok(())
    }
}

/// Goes through a text behind its opening quote: how many bytes belong to it,
/// and unless it has ended, whether the next byte is escaped.
fn text_end(bytes: &[u8], is_escaped: bool) -> (usize, Option<bool>) {
    let mut len = 0;
    let mut is_escaped = is_escaped;
    loop {
        if is_escaped && len < bytes.len() {
            len += 1;
            is_escaped = false;
        }
        len += plain_prefix_len(&bytes[len..]);
        let Some(&byte) = bytes.get(len) else { return (len, Some(is_escaped)) };
        len += 1;
        match byte {
            b'"' => return (len, None),
            b'\\' => is_escaped = true,
            _ => {}
        }
    }
}

/// Goes through a container; `text` is set inside of a text, to whether the next byte is escaped.
fn container_end(bytes: &[u8], mut depth: usize, mut text: Option<bool>) -> (Capture, usize, bool) {
    let mut len = 0;
    while len < bytes.len() {
        if let Some(is_escaped) = text {
            let (text_len, next) = text_end(&bytes[len..], is_escaped);
            len += text_len;
            text = next;
            continue;
        }
        let byte = bytes[len];
        len += 1;
        match byte {
            b'"' => text = Some(false),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return (Capture::Container { depth, text }, len, true);
                }
            }
            _ => {}
        }
    }
    (Capture::Container { depth, text }, len, false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::value::{Path, write_json};

    type Streamed = Result<(Vec<Json>, Option<Json>), String>;

    /// Feeds `text` in pieces that end at `cuts`.
    fn stream(mut stream: ItemStream, text: &[u8], cuts: &[usize]) -> Streamed {
        let mut items = Vec::new();
        let mut start = 0;
        for &cut in cuts.iter().chain([&text.len()]) {
            stream.feed(&text[start..cut], &mut items).map_err(|err| err.to_string())?;
            start = cut;
        }
        let envelope = stream.finish(&mut items).map_err(|err| err.to_string())?;
        Ok((items, envelope))
    }

    #[track_caller]
    fn check_dotted(path: &str, text: &str, expect: Json) {
        let Json::Array(expect) = expect else { panic!("items are a list") };
        let streamed = stream(ItemStream::at_dotted_path(path), text.as_bytes(), &[]);
        assert_eq!(streamed, Ok((expect, None)));
    }

    #[track_caller]
    fn check_keys(keys: &[&str], text: &str, expect: Json, envelope: Json) {
        let Json::Array(expect) = expect else { panic!("items are a list") };
        let keys: Vec<_> = keys.iter().map(|&key| key.to_owned()).collect();
        let streamed = stream(ItemStream::under_keys(&keys), text.as_bytes(), &[]);
        assert_eq!(streamed, Ok((expect, Some(envelope))));
    }

    #[track_caller]
    fn check_error(text: &str, expect: &str) {
        let streamed = stream(ItemStream::at_dotted_path("a"), text.as_bytes(), &[]);
        assert_eq!(streamed, Err(expect.to_owned()));
    }

    #[test]
    fn dotted_paths_lead_through_objects_and_lists() {
        check_dotted(
            "a.b",
            r#"{"a": {"b": [1, {"b": [2]}, "]", []], "c": [3]}}"#,
            json!([1, {"b": [2]}, "]", []]),
        );
        check_dotted("a.item.b", r#"{"a": [{"b": [1]}, {"b": [2, 3]}]}"#, json!([1, 2, 3]));
        check_dotted("item", "[[1,2],3,[4]]", json!([1, 2, 4]));
        check_dotted("a.b", r#"{"a.b": [1]}"#, json!([1]));
        check_dotted("a", r#"{"a": [1], "b": [2], "a": [3]}"#, json!([1, 3]));
        check_dotted("a", r#"{"a": {"x": 1}}"#, json!([]));
        check_dotted("a", " [] ", json!([]));
        check_dotted("a", r#"{"a":[" \\\" ] ",1e5 ,null]}"#, json!([" \\\" ] ", 100_000.0, null]));
    }

    #[test]
    fn the_envelope_has_an_empty_list_for_the_items() {
        check_keys(
            &["data", "items"],
            r#"{"data": {"items": [{"id": 1}, 2], "n": 2}, "next": "x", "l": [1]}"#,
            json!([{"id": 1}, 2]),
            json!({"data": {"items": [], "n": 2}, "next": "x", "l": [1]}),
        );
        check_keys(&[], "[1,[2]]", json!([1, [2]]), json!([]));
        check_keys(&["a"], r#"[{"a": [1]}]"#, json!([]), json!([{"a": [1]}]));
        check_keys(&["a"], r#"{"a": {"b": 1}}"#, json!([]), json!({"a": {"b": 1}}));
        check_keys(
            &["a"],
            r#"{"": {"a": [1]}, "item": 0}"#,
            json!([]),
            json!({"": {"a": [1]}, "item": 0}),
        );
        check_keys(&[], " 5", json!([]), json!(5));
    }

    #[test]
    fn broken_texts_are_refused() {
        check_error("", "The text ends too early: byte 0");
        check_error(r#"{"a":[1,2"#, "The text ends too early: byte 9");
        check_error(r#"{"a":[1,2]"#, "The text ends too early: byte 10");
        check_error(r#"{"a":[1,{"b":x}]}"#, "Expecting value: byte 15");
        check_error(r#"{"a":[1 2]}"#, "Expecting ',' delimiter: byte 9");
        check_error(r#"{"a":[1,]}"#, "Expecting value: byte 9");
        check_error(r#"{"a" 1}"#, "Expecting ':' delimiter: byte 6");
        check_error(r#"{"b":1,}"#, "Expecting property name enclosed in double quotes: byte 8");
        check_error("{a:1}", "Expecting property name enclosed in double quotes: byte 2");
        check_error("{} {}", "Extra data: byte 4");
        check_error("[}", "Expecting value: byte 2");
        check_error(&"[".repeat(2000), "Nested too deep: byte 1025");
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<i32>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            r#"[a{}\[\],:"\\é]{0,6}"#.prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
                prop::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_are_those_of_the_whole_text(
            value in any_json(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            damage in prop::option::of((any::<prop::sample::Index>(), 0_u8..128)),
        ) {
            let keys = ["a".to_owned(), "b".to_owned()];
            let mut text = Vec::new();
            write_json(&value, &mut text);
            if let Some((position, byte)) = damage {
                let position = position.index(text.len());
                text[position] = byte;
            }
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.sort_unstable();

            let pieces = stream(ItemStream::under_keys(&keys), &text, &cuts);
            prop_assert_eq!(&pieces, &stream(ItemStream::under_keys(&keys), &text, &[]));
            // A damaged key may make two of one, of which the whole text keeps the last.
            if damage.is_some() {
                prop_assert_eq!(pieces.is_ok(), parse(&text).is_ok());
                return Ok(());
            }
            let mut whole = parse(&text).unwrap();
            let path = Path::new(keys.map(Json::from)).unwrap();
            let mut items = Vec::new();
            if let Some(list @ Json::Array(_)) = path.get(&whole).unwrap() {
                items.extend_from_slice(list.as_array().unwrap());
                path.replace(&mut whole, &json!([]));
            }
            prop_assert_eq!(pieces, Ok((items, Some(whole))));
        }
    }
}
