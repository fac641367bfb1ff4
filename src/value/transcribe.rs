//! Records from the text of a body to the text of their lines, with no values in between.
//!
//! One pass checks the text and prints it, as [`parse`] and [`write_record_data`] would do one
//! after the other. What is odd (equal keys, escaped keys, numbers beyond 64 bits) is left to them.

use super::emit::{write_escaped, write_json, write_record_data};
use super::parse::{MAX_DEPTH, Parser, parse};
use super::scan::plain_prefix_len;
use super::{Json, Map};

/// Objects with more keys are left to the parser: looking for equal ones would take long.
const MAX_KEYS: usize = 256;

/// So many keys find room at once: most records have no more, those of their own objects included.
const USUAL_KEYS: usize = 32;

/// Where the records of a body are, and what stands around their lines.
#[derive(Clone, Copy, Debug)]
pub struct Transcription<'a> {
    /// The keys that lead to the list of records.
    pub path: &'a [String],
    /// What stands before a record.
    pub open: &'a [u8],
    /// What stands behind it.
    pub close: &'a [u8],
    /// The field of the records that is looked at.
    pub field: Option<&'a str>,
}

/// Lines of records.
#[derive(Debug, Default, PartialEq)]
pub struct Lines {
    /// The lines.
    pub text: Vec<u8>,
    /// How many there are.
    pub n_lines: u64,
    /// How many records they are of; some have no line.
    pub n_records: usize,
    /// The records reduced to the one field that is looked at.
    pub fields: Vec<Json>,
}

impl Lines {
    /// Ends the line that begins at `start` with `n_open` bytes before its record.
    ///
    /// A record without fields gets no line: the platform would drop it, but count on it, as
    /// states tell how many there were.
    pub fn end(&mut self, start: usize, n_open: usize, close: &[u8]) {
        self.n_records += 1;
        if &self.text[start + n_open..] == b"{}" {
            self.text.truncate(start);
        } else {
            self.text.extend_from_slice(close);
            self.n_lines += 1;
        }
    }
}

/// A body whose records were transcribed.
#[derive(Debug, PartialEq)]
pub struct Transcribed {
    /// The text around the records, an empty list in their place.
    pub envelope: Vec<u8>,
    /// Where the last record stands in the body.
    pub last: Option<std::ops::Range<usize>>,
}

/// The text is none that could be transcribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untranscribed;

type Step = Result<(), Untranscribed>;

impl Transcription<'_> {
    /// Appends the lines of all records of `body`.
    ///
    /// An error leaves it to the parser to find records, or to say what is wrong; `lines` are
    /// not to be used then.
    pub fn body(&self, body: &[u8], lines: &mut Lines) -> Result<Transcribed, Untranscribed> {
        let text = simdutf8::basic::from_utf8(body).map_err(|_| Untranscribed)?;
        let mut transcriber = Transcriber::new(text);
        let mut walk = Walk { how: self, envelope: Vec::new(), last: None, has_found: false };
        transcriber.parser.skip_whitespace();
        transcriber.drop_text();
        walk.descend(&mut transcriber, self.path, lines)?;
        transcriber.print(&mut walk.envelope);
        transcriber.parser.skip_whitespace();
        if transcriber.parser.peek().is_some() || !walk.has_found {
            return Err(Untranscribed);
        }
        Ok(Transcribed { envelope: walk.envelope, last: walk.last })
    }

    /// Appends the line of the record that `text` holds; an error leaves `lines` as they were.
    pub fn record(&self, text: &[u8], lines: &mut Lines) -> Result<(), Untranscribed> {
        let text = simdutf8::basic::from_utf8(text).map_err(|_| Untranscribed)?;
        let before = (lines.text.len(), lines.n_lines, lines.n_records, lines.fields.len());
        let mut transcriber = Transcriber::new(text);
        transcriber.parser.skip_whitespace();
        let line = transcriber.line(self, lines);
        transcriber.parser.skip_whitespace();
        if line.is_ok() && transcriber.parser.peek().is_none() {
            return Ok(());
        }
        lines.text.truncate(before.0);
        (lines.n_lines, lines.n_records) = (before.1, before.2);
        lines.fields.truncate(before.3);
        Err(Untranscribed)
    }
}

/// The way through the objects around the records.
struct Walk<'a> {
    how: &'a Transcription<'a>,
    envelope: Vec<u8>,
    last: Option<std::ops::Range<usize>>,
    has_found: bool,
}

impl Walk<'_> {
    /// Goes through a value on the path, `path` of which is still to go.
    fn descend(
        &mut self,
        transcriber: &mut Transcriber<'_>,
        path: &[String],
        lines: &mut Lines,
    ) -> Step {
        let Some((wanted, path)) = path.split_first() else {
            return self.records(transcriber, lines);
        };
        let mut keys = transcriber.open(b'{')?;
        while let Some(key) = transcriber.next_key(&mut keys, &mut self.envelope)? {
            if key == wanted.as_bytes() {
                self.descend(transcriber, path, lines)?;
            } else {
                transcriber.value(&mut self.envelope)?;
            }
        }
        Ok(())
    }

    fn records(&mut self, transcriber: &mut Transcriber<'_>, lines: &mut Lines) -> Step {
        self.has_found = true;
        transcriber.print(&mut self.envelope);
        self.envelope.extend_from_slice(b"[]");
        let envelope_len = self.envelope.len();
        let mut items = transcriber.open(b'[')?;
        while transcriber.has_next(b']', &mut items, &mut self.envelope)? {
            let start = transcriber.parser.position;
            transcriber.line(self.how, lines)?;
            let record = start..transcriber.parser.position;
            // A list that is the whole body is a list of pages, of which the empty have no records.
            if self.how.path.is_empty()
                && is_empty_object(&transcriber.parser.bytes[record.clone()])
            {
                return Err(Untranscribed);
            }
            self.last = Some(record);
        }
        // What stands between records is nowhere to be printed.
        transcriber.drop_text();
        self.envelope.truncate(envelope_len);
        Ok(())
    }
}

/// Whether the text of a JSON value is that of an object without fields.
pub fn is_empty_object(text: &[u8]) -> bool {
    text.trim_ascii_start()
        .strip_prefix(b"{")
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"}"))
}

/// Reads and prints at the same time: text that is printed as it stands waits until something else
/// comes, to be copied at once.
struct Transcriber<'t> {
    parser: Parser<'t>,
    /// Where the text begins that waits; it ends where the parser is.
    waiting: usize,
    /// The keys so far of the objects that are open, the innermost last.
    keys: Vec<(usize, usize)>,
}

/// What was seen of a container so far.
struct Seen {
    /// Where the keys of this object begin among all.
    start: usize,
    /// How many items there were.
    n_items: usize,
    /// A sieve for the keys: a key whose bit is not set is new.
    sieve: u64,
}

impl<'t> Transcriber<'t> {
    fn new(text: &'t str) -> Self {
        Self { parser: Parser::new(text), waiting: 0, keys: Vec::with_capacity(USUAL_KEYS) }
    }

    /// Prints the text that waits.
    fn print(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.parser.bytes[self.waiting..self.parser.position]);
        self.drop_text();
    }

    /// Leaves out the text that waits.
    fn drop_text(&mut self) {
        self.waiting = self.parser.position;
    }

    /// Appends the line of the record that comes next.
    fn line(&mut self, how: &Transcription<'_>, lines: &mut Lines) -> Step {
        let (start, position) = (lines.text.len(), self.parser.position);
        lines.text.extend_from_slice(how.open);
        self.drop_text();
        let n_keys = self.keys.len();
        let depth = self.parser.depth;
        let field = if let Ok(field) = self.record(how.field, &mut lines.text) {
            self.print(&mut lines.text);
            field
        } else {
            self.keys.truncate(n_keys);
            lines.text.truncate(start + how.open.len());
            (self.parser.position, self.parser.depth) = (position, depth);
            self.record_by_values(how.field, &mut lines.text)?
        };
        lines.end(start, how.open.len(), how.close);
        if let Some(name) = how.field {
            let field = field.map(|value| (name.to_owned(), value));
            lines.fields.push(Json::Object(field.into_iter().collect()));
        }
        Ok(())
    }

    /// A record, without its fields that are null; gives the value of `field`.
    fn record(
        &mut self,
        field: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Json>, Untranscribed> {
        let bytes = self.parser.bytes;
        let mut found = None;
        let mut has_printed = false;
        let mut keys = self.open(b'{')?;
        loop {
            let before = (out.len(), self.waiting, self.parser.position);
            let Some(key) = self.next_key(&mut keys, out)? else { break };
            let is_null = self.parser.peek() == Some(b'n');
            if is_null || (!has_printed && keys.n_items > 1) {
                // As if the field, or the comma before it, had not been there.
                out.truncate(before.0);
                out.extend_from_slice(&bytes[before.1..before.2]);
                if is_null {
                    self.skip_word(b"null")?;
                } else {
                    write_key(key, out);
                }
                self.drop_text();
            }
            if is_null {
                continue;
            }
            has_printed = true;
            let start = self.parser.position;
            self.value(out)?;
            if field.is_some_and(|field| field.as_bytes() == key) {
                found = parse(&bytes[start..self.parser.position]).ok();
            }
        }
        Ok(found)
    }

    /// As [`Self::record`], by the parser.
    fn record_by_values(
        &mut self,
        field: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<Option<Json>, Untranscribed> {
        let Ok(Json::Object(mut record)) = self.parser.value() else { return Err(Untranscribed) };
        write_record_data(&record, out);
        self.drop_text();
        let found = field.and_then(|field| Map::swap_remove(&mut record, field));
        Ok(found.filter(|value| !value.is_null()))
    }

    fn value(&mut self, out: &mut Vec<u8>) -> Step {
        match self.parser.peek() {
            Some(b'"') => self.string(out),
            Some(b'{') => {
                let mut keys = self.open(b'{')?;
                while self.next_key(&mut keys, out)?.is_some() {
                    self.value(out)?;
                }
                Ok(())
            }
            Some(b'[') => {
                let mut items = self.open(b'[')?;
                while self.has_next(b']', &mut items, out)? {
                    self.value(out)?;
                }
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => self.number(out),
            Some(b't') => self.skip_word(b"true"),
            Some(b'f') => self.skip_word(b"false"),
            Some(b'n') => self.skip_word(b"null"),
            _ => Err(Untranscribed),
        }
    }

    /// Goes into a container.
    fn open(&mut self, bracket: u8) -> Result<Seen, Untranscribed> {
        if self.parser.peek() != Some(bracket) || self.parser.depth == MAX_DEPTH {
            return Err(Untranscribed);
        }
        self.parser.depth += 1;
        self.parser.position += 1;
        Ok(Seen { start: self.keys.len(), n_items: 0, sieve: 0 })
    }

    /// Goes past white space, which is not printed.
    #[inline]
    fn skip_whitespace(&mut self, out: &mut Vec<u8>) {
        if let Some(b' ' | b'\t' | b'\n' | b'\r') = self.parser.peek() {
            self.print(out);
            self.parser.skip_whitespace();
            self.drop_text();
        }
    }

    /// Goes to the next item of a container; behind its end when there is none.
    #[inline]
    fn has_next(
        &mut self,
        end: u8,
        seen: &mut Seen,
        out: &mut Vec<u8>,
    ) -> Result<bool, Untranscribed> {
        self.skip_whitespace(out);
        let byte = self.parser.peek();
        if byte == Some(end) {
            self.parser.position += 1;
            self.parser.depth -= 1;
            self.keys.truncate(seen.start);
            return Ok(false);
        }
        if seen.n_items > 0 {
            if byte != Some(b',') {
                return Err(Untranscribed);
            }
            self.parser.position += 1;
            self.skip_whitespace(out);
        }
        seen.n_items += 1;
        Ok(true)
    }

    /// The next key of an object, past its colon; one that is there already, or is escaped, is
    /// for the parser.
    #[inline]
    fn next_key(
        &mut self,
        seen: &mut Seen,
        out: &mut Vec<u8>,
    ) -> Result<Option<&'t [u8]>, Untranscribed> {
        if !self.has_next(b'}', seen, out)? {
            return Ok(None);
        }
        if self.parser.peek() != Some(b'"') {
            return Err(Untranscribed);
        }
        let start = self.parser.position + 1;
        let bytes = self.parser.bytes;
        let end = start + plain_prefix_len(&bytes[start..]);
        if bytes.get(end) != Some(&b'"') {
            return Err(Untranscribed);
        }
        let key = &bytes[start..end];
        let mark = 1_u64 << (sieve(key) & 63);
        if seen.sieve & mark != 0 {
            let known = &self.keys[seen.start..];
            if known.len() > MAX_KEYS || known.iter().any(|&(from, to)| &bytes[from..to] == key) {
                return Err(Untranscribed);
            }
        }
        seen.sieve |= mark;
        self.keys.push((start, end));
        self.parser.position = end + 1;
        self.skip_whitespace(out);
        if self.parser.peek() != Some(b':') {
            return Err(Untranscribed);
        }
        self.parser.position += 1;
        self.skip_whitespace(out);
        Ok(Some(key))
    }

    fn skip_word(&mut self, word: &[u8]) -> Step {
        if !self.parser.bytes[self.parser.position..].starts_with(word) {
            return Err(Untranscribed);
        }
        self.parser.position += word.len();
        Ok(())
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Step {
        let bytes = self.parser.bytes;
        let mut position = self.parser.position + 1;
        loop {
            position += plain_prefix_len(&bytes[position..]);
            match bytes.get(position) {
                Some(b'"') => break,
                Some(b'\\') => {}
                _ => return Err(Untranscribed),
            }
            match bytes.get(position + 1) {
                Some(b'n' | b't' | b'r' | b'b' | b'f' | b'"' | b'\\') => position += 2,
                Some(b'/' | b'u') => {
                    self.parser.position = position;
                    self.print(out);
                    let character = self.parser.escape().map_err(|_| Untranscribed)?;
                    write_escaped(character, out);
                    self.drop_text();
                    position = self.parser.position;
                }
                _ => return Err(Untranscribed),
            }
        }
        self.parser.position = position + 1;
        Ok(())
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Step {
        if let Some(len) = short_number_len(&self.parser.bytes[self.parser.position..]) {
            self.parser.position += len;
            return Ok(());
        }
        self.print(out);
        let number = self.parser.value().map_err(|_| Untranscribed)?;
        write_json(&number, out);
        self.drop_text();
        Ok(())
    }
}

/// A key that needs no escapes, with its colon.
fn write_key(key: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(key);
    out.extend_from_slice(b"\":");
}

/// Spreads keys over the bits of a word; keys of one object rarely share length and both ends.
fn sieve(key: &[u8]) -> u32 {
    let byte = |idx: usize| key.get(idx).map_or(0, |&byte| u32::from(byte));
    let (first, last) = (byte(0), byte(key.len().wrapping_sub(1)));
    let middle = byte(key.len() / 2);
    (first + middle * 5 + last * 11)
        .wrapping_mul(0x9E37_79B1)
        .rotate_left(6)
        .wrapping_add(u32::try_from(key.len()).unwrap_or(0))
}

/// The length of a number that is printed as it is written.
///
/// An integer of up to 18 digits; a fraction of up to 15 digits that is not very small and has no
/// zeros at its end, since so many decimal digits survive the way through a double.
fn short_number_len(bytes: &[u8]) -> Option<usize> {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let whole = &bytes[sign..];
    let n_whole = digits(whole);
    let is_zero = whole.first() == Some(&b'0');
    if n_whole == 0 || (is_zero && n_whole > 1) {
        return None;
    }
    match whole.get(n_whole) {
        Some(b'e' | b'E') => None,
        Some(b'.') => {
            let fraction = &whole[n_whole + 1..];
            let n_fraction = digits(fraction);
            let last = *fraction[..n_fraction].last()?;
            let is_short = n_whole + n_fraction <= 15 && (last != b'0' || n_fraction == 1);
            let is_tiny = is_zero && fraction.starts_with(b"000");
            let has_exponent = matches!(fraction.get(n_fraction), Some(b'e' | b'E'));
            let len = sign + n_whole + 1 + n_fraction;
            (is_short && !is_tiny && !has_exponent).then_some(len)
        }
        _ => (n_whole <= 18 && !(is_zero && sign == 1)).then_some(sign + n_whole),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn how(path: &[String]) -> Transcription<'_> {
        Transcription { path, open: b"<", close: b">\n", field: Some("id") }
    }

    fn path(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|&key| key.to_owned()).collect()
    }

    /// The lines of `body`, its envelope, and its last record.
    fn transcribe(keys: &[&str], body: &str) -> Option<(String, String, Option<String>)> {
        let mut lines = Lines::default();
        let done = how(&path(keys)).body(body.as_bytes(), &mut lines).ok()?;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let last = done.last.map(|range| body[range].to_owned());
        let (lines, n_lines) = (text(lines.text), lines.n_lines);
        assert_eq!(lines.lines().count() as u64, n_lines);
        Some((lines, text(done.envelope), last))
    }

    #[track_caller]
    fn check(keys: &[&str], body: &str, lines: &str, envelope: &str) {
        let (found_lines, found_envelope, _) = transcribe(keys, body).unwrap();
        assert_eq!((found_lines.as_str(), found_envelope.as_str()), (lines, envelope));
    }

    #[track_caller]
    fn check_left(keys: &[&str], body: &str) {
        assert_eq!(transcribe(keys, body), None);
    }

    /// The one record of a body is printed as the parser and the printer do it.
    #[track_caller]
    fn check_record(record: &str) {
        let Ok(Json::Object(value)) = parse(record.as_bytes()) else { panic!("no record") };
        check(&["d"], &format!(r#"{{"d": [{record}]}}"#), &line_of(&value), r#"{"d":[]}"#);
    }

    /// The line of a record, printed by its value; nothing for a record without fields.
    fn line_of(record: &Map) -> String {
        let mut line = b"<".to_vec();
        write_record_data(record, &mut line);
        line.extend_from_slice(b">\n");
        let line = String::from_utf8(line).unwrap();
        if line == "<{}>\n" { String::new() } else { line }
    }

    #[test]
    fn records_become_lines() {
        check(
            &["data", "items"],
            r#" {"n" : 2, "data": {"items": [ {"id": 1, "a": null} , {"id": 2} ], "x": [1.50]}} "#,
            "<{\"id\":1}>\n<{\"id\":2}>\n",
            r#"{"n":2,"data":{"items":[],"x":[1.5]}}"#,
        );
        check(&[], r#"[{"id": 1}]"#, "<{\"id\":1}>\n", "[]");
        check(&["d"], r#"{"d": []}"#, "", r#"{"d":[]}"#);
        check(&["d"], r#"{"d": [{}]}"#, "", r#"{"d":[]}"#);
    }

    #[test]
    fn the_last_record_and_the_fields_are_known() {
        let body = r#"{"d": [{"id": "a"}, {"x": 0, "id": {"b": [1.0]}}, {"id": null}]}"#;
        let (_, _, last) = transcribe(&["d"], body).unwrap();
        assert_eq!(last.as_deref(), Some(r#"{"id": null}"#));
        let mut lines = Lines::default();
        how(&path(&["d"])).body(body.as_bytes(), &mut lines).unwrap();
        assert_eq!(lines.fields, [json!({"id": "a"}), json!({"id": {"b": [1.0]}}), json!({})]);
    }

    #[test]
    fn what_is_no_plain_list_of_objects_is_left() {
        check_left(&["d"], r#"{"d": {"id": 1}}"#);
        check_left(&["d"], r#"{"e": [{"id": 1}]}"#);
        check_left(&["d"], r#"{"d": [1]}"#);
        check_left(&["d"], r#"{"d": [{"id": 1}], "d": []}"#);
        check_left(&["d"], r#"{"d": [{"id": 1}], "e": {"f": 1, "f": 2}}"#);
        check_left(&["d"], r#"[{"d": []}]"#);
        check_left(&[], "[{\"a\": 1}, { }]");
        check_left(&[], r#"{"id": 1}"#);
        check_left(&["d", "0"], r#"{"d": [[{"id": 1}]]}"#);
    }

    #[test]
    fn what_is_broken_is_left() {
        for body in [
            "",
            r#"{"d": [{"a": 1}"#,
            r#"{"d": [{"a": 1}]"#,
            r#"{"d": [{"a": 1}]} x"#,
            r#"{"d": [{"a": 1},]}"#,
            r#"{"d": [{"a": 1 "b": 2}]}"#,
            r#"{"d": [{"a": 01}]}"#,
            r#"{"d": [{"a": "\x"}]}"#,
            "{\"d\": [{\"a\": \"\n\"}]}",
            r#"{"d": [{"a": tru}]}"#,
            r#"{"d": [{a: 1}]}"#,
        ] {
            check_left(&["d"], body);
        }
        let mut lines = Lines::default();
        let body = b"{\"d\": [{\"a\": \"\xff\"}]}";
        assert!(how(&path(&["d"])).body(body, &mut lines).is_err());
    }

    #[test]
    fn records_are_printed_as_by_value() {
        check_record(r#"{"a": "\u00e9\/\n\"\\\u0001\u007f\ud83d\ude00\ud800", "b": "é"}"#);
        check_record(
            r#"{"a": [65.30, 1E5, 1.10, -0, -0.0, 0.001, 0.00001, 1e400, NaN, -Infinity]}"#,
        );
        check_record(r#"{"a": [18446744073709551616, 123456789012345678, 1234567890123456789]}"#);
        check_record(
            r#"{"a": [0.1234567890123456789, 123456789012.345, 1234567890123.456, 1.0, 1.00]}"#,
        );
        check_record(r#"{"a": 1, "b": 2, "a": 3}"#);
        check_record(r#"{"a": 1, "b": 2, "a": null}"#);
        check_record(r#"{"\u0061": 1, "a": {"b": 1, "b": 2}}"#);
        check_record(r#"{"a": null, "b": {"c": null, "d": [null, true, false]}, "e": null}"#);
        check_record(r#"{"a": null}"#);
        let many: Vec<_> = (0..600).map(|n| format!("\"k{n}\": {n}")).collect();
        check_record(&format!("{{{}}}", many.join(",")));
    }

    fn any_value() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?",
            r#""([a-z é\{\}\[\],:]|\\["\\/bfnrt]|\\u00[0-9a-f]{2}|\\ud8[0-9]{2}){0,9}""#,
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let space = prop_oneof![4 => Just(""), 1 => Just(" \n")];
            prop_oneof![
                (prop::collection::vec(inner.clone(), 0..4), space.clone())
                    .prop_map(|(items, space)| format!("[{space}{}]", items.join(space))),
                (prop::collection::vec(("[abc]{1,2}", inner), 0..5), space).prop_map(
                    |(pairs, space)| {
                        let pairs: Vec<_> = pairs
                            .into_iter()
                            .map(|(key, value)| format!("\"{key}\"{space}:{value}"))
                            .collect();
                        format!("{{{}{space}}}", pairs.join(","))
                    }
                ),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_parser(
            pairs in prop::collection::vec(("[a-e]{1,2}", any_value()), 0..6),
            damage in prop::option::of((any::<prop::sample::Index>(), 32_u8..128)),
        ) {
            let pairs: Vec<_> =
                pairs.into_iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
            let mut record = format!("{{{}}}", pairs.join(", ")).into_bytes();
            if let Some((position, byte)) = damage {
                let position = position.index(record.len());
                if record[position].is_ascii() {
                    record[position] = byte;
                }
            }
            let mut lines = Lines::default();
            let transcribed = how(&[]).record(&record, &mut lines);
            let Ok(Json::Object(value)) = parse(&record) else {
                prop_assert_eq!(transcribed, Err(Untranscribed));
                return Ok(());
            };
            prop_assert_eq!(transcribed, Ok(()));
            prop_assert_eq!(String::from_utf8(lines.text).unwrap(), line_of(&value));
        }
    }
}
