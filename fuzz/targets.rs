//! What is done with the bytes of a fuzzer: one function for each target.
//!
//! A fault is a panic; it should also end soon and take little memory, which the fuzzer watches.
//! The ordinary tests call the same functions with the seeds and with what was found once.

use std::sync::Arc;

use futures::FutureExt;
use source_declarative_manifest::builder::edit::{self, Document, Edit, Step};
use source_declarative_manifest::builder::oauth::Consent;
use source_declarative_manifest::components::decoder::csv::CsvDecoder;
use source_declarative_manifest::components::decoder::xml::XmlDecoder;
use source_declarative_manifest::components::{Decode, Decoder, ElementTexts};
use source_declarative_manifest::http::cassette::Replay;
use source_declarative_manifest::http::{Headers, Method, Request, Transport};
use source_declarative_manifest::lint::{self, Choice};
use source_declarative_manifest::manifest::{
    Findings, Manifest, Node, Source, migrate, normalize, parse as parse_yaml, render, to_yaml,
};
use source_declarative_manifest::protocol::{
    ConfiguredCatalog, kept_messages, merge_states, read_states, state_messages, unread_messages,
};
use source_declarative_manifest::run::RunContext;
use source_declarative_manifest::template::time::{
    DateTime, DatetimeFormat, Span, isoparse, str_to_datetime, strftime,
};
use source_declarative_manifest::template::{
    Expression, InterpolatedBoolean, InterpolatedString, Scope, ValidTypes,
};
use source_declarative_manifest::value::{
    self, Json, Lines, Map, ParseError, Secrets, StreamSlice, Transcription, write_record_data,
};
use source_declarative_manifest::{cli, engine};

/// What is done with the bytes.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 14] = [
    ("arguments", arguments),
    ("cassette", cassette),
    ("catalog", catalog),
    ("csv", csv),
    ("datetime", datetime),
    ("edit", edit),
    ("json", json),
    ("literal", literal),
    ("placeholders", placeholders),
    ("references", references),
    ("state", state),
    ("template", template),
    ("xml", xml),
    ("yaml", yaml),
];

/// Words of a command line, one a line.
pub fn arguments(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let words = ["source-declarative-manifest"].into_iter().chain(text.split('\n'));
    let is_understood = cli::understands(words.clone().map(Into::into));
    assert_eq!(cli::understands(words.map(Into::into)), is_understood);
}

/// A cassette, which is asked for one request.
pub fn cassette(data: &[u8]) {
    let secrets = Secrets::new();
    let Ok(replay) = Replay::read(data, secrets.clone()) else { return };
    secrets.add("s3cret");
    let request = Request::new(Method::GET, "https://api.example.com/a?key=s3cret").prepare();
    let request = Arc::new(request.expect("the URL is sound"));
    for _ in 0..2 {
        // A cassette answers at once.
        if let Some(Err(error)) = replay.exchange(&request).now_or_never() {
            assert!(!error.message.contains("s3cret"));
        }
    }
    let now = replay.header().clock;
    assert_eq!(replay.header().replaying_context().now(), now);
}

/// A configured catalog.
pub fn catalog(data: &[u8]) {
    let Ok(document) = value::parse(data) else { return };
    let Ok(catalog) = ConfiguredCatalog::read(&document) else { return };
    for stream in &catalog.streams {
        assert!(catalog.stream(&stream.name).is_some());
    }
}

/// A body of comma-separated values, as values and as text, in one piece and in many.
pub fn csv(data: &[u8]) {
    let decoder = CsvDecoder::default();
    let whole = decode(&decoder, data, data.len());
    for piece_len in [1, 3] {
        let pieces = decode(&decoder, data, piece_len);
        assert_eq!(pieces.1.is_ok(), whole.1.is_ok(), "in pieces of {piece_len}");
        if whole.1.is_ok() {
            assert_eq!(pieces, whole, "in pieces of {piece_len}");
        }
    }
    let mut decode = decoder.begin(&Headers::default());
    let Some(decode) = decode.as_texts() else { return };
    let mut texts = Texts::default();
    let result = decode.feed(data, &mut texts).and_then(|()| decode.finish(&mut texts));
    let records = whole.0.iter().filter_map(Json::as_object);
    let printed = records.fold(Vec::new(), |mut lines, record| {
        write_record_data(record, &mut lines);
        lines.push(b'\n');
        lines
    });
    assert_eq!(result.is_ok(), whole.1.is_ok());
    assert_eq!(String::from_utf8_lossy(&texts.0), String::from_utf8_lossy(&printed));
}

/// The texts of objects, one a line.
#[derive(Default)]
struct Texts(Vec<u8>);

impl ElementTexts for Texts {
    fn element(&mut self, text: &[u8]) -> Result<(), ParseError> {
        value::parse(text).map(|_| self.object(text))
    }

    fn object(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
        self.0.push(b'\n');
    }
}

/// The elements of a body that comes in pieces, and what went wrong.
fn decode(decoder: &dyn Decoder, body: &[u8], piece_len: usize) -> (Vec<Json>, Result<(), String>) {
    let mut decode: Box<dyn Decode> = decoder.begin(&Headers::default());
    let mut elements = Vec::new();
    let mut pieces = body.chunks(piece_len.max(1));
    let result = pieces.try_for_each(|piece| decode.feed(piece, &mut elements));
    let result = result.and_then(|()| decode.finish(&mut elements));
    (elements, result.map_err(|error| error.to_string()))
}

/// A datetime format on the first line, and a text that it reads.
pub fn datetime(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (format, text) = text.split_once('\n').unwrap_or((text, ""));
    let compiled = DatetimeFormat::new(format);
    for when in [compiled.parse(text), isoparse(text), str_to_datetime(text)] {
        let Ok(when) = when else { continue };
        compiled.format(when);
        strftime(format, &when);
        // What a moment is written as is that moment, if its zone has no seconds.
        let written = when.isoformat('T', "auto").expect("the way to write it is known");
        if let Ok(read) = isoparse(&written) {
            assert_eq!(read.fields(), when.fields(), "{written}");
        }
    }
    if let Ok(number) = text.trim().parse() {
        let _ = compiled.parse_float(number);
    }
    if let Ok(span) = Span::parse(text) {
        span.words();
        for when in
            [DateTime::from_timestamp(now()), DateTime::from_timestamp(jiff::Timestamp::MIN)]
        {
            let _ = (when.plus_span(span), when.minus_span(span));
        }
    }
}

/// What the builder's forms do to a text: the bytes of the first line choose a place in the rest, a
/// change, and a value. A change that is not refused is seen in the new text, and nothing else is.
pub fn edit(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some((choices, text)) = text.split_once('\n') else { return };
    let mut choices = choices.bytes().map(usize::from);
    let Ok(document) = Document::read(text) else { return };
    let mut path = Vec::new();
    let mut node = document.root();
    // One choice less than there are is to stay; one more leads to what is not there.
    for choice in choices.by_ref() {
        let (n_inside, names): (_, Vec<_>) = match node.as_map() {
            Some(map) => (map.len(), map.iter().map(|(key, _)| key.name().into_owned()).collect()),
            None => (node.items().len(), Vec::new()),
        };
        let step = match choice % (n_inside + 2) {
            choice if choice == n_inside => break,
            choice if names.is_empty() => Step::Index(choice),
            choice => Step::Key(names.get(choice).map_or("new", String::as_str).to_owned()),
        };
        path.push(step);
        let Some(inside) = document.value_at(&path) else { break };
        node = inside;
    }
    let before = document.root().to_json();
    let old = document.value_at(&path).map(Node::to_json);
    let (op, value) = (choices.next().unwrap_or(0), choices.next().unwrap_or(0));
    let value = value_of(value);
    let (first, second) = (choices.next().unwrap_or(0), choices.next().unwrap_or(0));
    let set = |value: &Json| Edit::Set { path: path.clone(), value: value.clone() };
    let edit = match op % 6 {
        0 => set(&value),
        1 => Edit::Remove { path: path.clone() },
        2 => Edit::Insert { path: path.clone(), index: first, value: value.clone() },
        3 => Edit::Move { path: path.clone(), from: first, to: second },
        4 => {
            let name = |choice: usize| {
                let name = node.as_map().and_then(|map| map.iter().nth(choice % (map.len() + 1)));
                name.map_or_else(|| "a: b".to_owned(), |(key, _)| key.name().into_owned())
            };
            Edit::Rename { path: path.clone(), from: name(first), to: name(second) }
        }
        _ => match edit::component(text, &path) {
            Ok(yaml) => Edit::ReplaceYaml { path: path.clone(), yaml },
            Err(_) => return,
        },
    };
    let Ok(after) = edit::apply(text, std::slice::from_ref(&edit)) else { return };
    let read = Document::read(&after).expect("what is changed can be read");
    match edit {
        Edit::Set { .. } => {
            let found = read.value_at(&path).map(Node::to_json);
            assert_eq!(found.as_ref(), Some(&value), "{after}");
            // What was there can be put back, and then nothing has changed.
            let Some(old) = old else { return };
            let Ok(back) = edit::apply(&after, &[set(&old)]) else { return };
            let back = Document::read(&back).expect("what is changed can be read");
            assert_eq!(back.root().to_json(), before);
        }
        Edit::ReplaceYaml { .. } => assert_eq!(after, text, "what is taken out is put back"),
        Edit::Insert { index, .. } => {
            let items = read.value_at(&path).map(Node::items).unwrap_or_default();
            assert_eq!(items.get(index).map(Node::to_json), Some(value), "{after}");
        }
        Edit::Move { from, to, .. } => {
            let items = |document: &Document<'_>| {
                let items = document.value_at(&path).map(Node::items).unwrap_or_default();
                items.iter().map(Node::to_json).collect::<Vec<_>>()
            };
            let mut expect = items(&document);
            let item = expect.remove(from);
            expect.insert(to, item);
            assert_eq!(items(&read), expect, "{after}");
        }
        Edit::Remove { .. } | Edit::Rename { .. } => {}
    }
}

/// A value that may be hard to write.
fn value_of(choice: usize) -> Json {
    let values = [
        Json::Null,
        Json::from(true),
        Json::from(-7),
        Json::from(1.5),
        Json::from(""),
        Json::from("yes"),
        Json::from("{{ config['a'] }}: b # c"),
        Json::from("- a\n\n  b\n"),
        Json::from("\u{1}\u{85}\u{feff}'\""),
        Json::from("<<"),
        serde_json::json!([]),
        serde_json::json!({}),
        serde_json::json!([[1, [], {}], "x\ny", {"b": [2, null]}]),
        serde_json::json!({"": {"a b": "1"}, "type": "T", "? x": ["~"], "<<": 1}),
    ];
    values[choice % values.len()].clone()
}

/// A body of JSON by the fast road and by the road of values, which have to agree.
pub fn json(data: &[u8]) {
    let (path, body) = match data.split_first() {
        Some((b'/', body)) => (vec!["data".to_owned()], body),
        _ => (Vec::new(), data),
    };
    let how = Transcription { path: &path, open: b"<", close: b">\n", field: Some("id") };
    let parsed = value::parse(body);
    if may_exceed_doubles(body) {
        // The fast road prints `null` as the reference does; as values such fields are left out.
        return;
    }
    let mut lines = Lines::default();
    if let Ok(done) = how.body(body, &mut lines) {
        let parsed = parsed.as_ref().expect("what is transcribed can be parsed");
        let records = path.iter().try_fold(parsed, |json, key| json.get(key));
        let records = records.and_then(Json::as_array).expect("there are records");
        let mut printed = Lines::default();
        for record in records.iter().filter_map(Json::as_object) {
            print(&how, record, &mut printed);
        }
        assert_eq!(String::from_utf8_lossy(&lines.text), String::from_utf8_lossy(&printed.text));
        assert_eq!(lines, printed);
        let last = done.last.map(|last| value::parse(&body[last]).expect("a record is JSON"));
        assert_eq!(last.as_ref(), records.last());
        let mut envelope = parsed.clone();
        let place = path.iter().try_fold(&mut envelope, |json, key| json.get_mut(key));
        *place.expect("there are records") = Json::Array(Vec::new());
        assert_eq!(value::parse(&done.envelope).expect("an envelope is JSON"), envelope);
    }
    let mut lines = Lines::default();
    let transcribed = how.record(body, &mut lines);
    match &parsed {
        Ok(Json::Object(record)) => {
            let mut printed = Lines::default();
            print(&how, record, &mut printed);
            assert!(transcribed.is_ok(), "a record has a line");
            assert_eq!(lines, printed);
        }
        _ => assert!(transcribed.is_err() && lines == Lines::default()),
    }
    // What is printed is read as the same, and printed as the same.
    if let Ok(value) = parsed {
        let mut text = Vec::new();
        value::write_json(&value, &mut text);
        let again = value::parse(&text).expect("what is printed is JSON");
        assert_eq!(again, value);
    }
}

/// Whether a number in a text may be too large for a double.
fn may_exceed_doubles(text: &[u8]) -> bool {
    let mut n_digits = 0;
    let mut is_exponent = false;
    text.iter().any(|byte| {
        match byte {
            b'0'..=b'9' => n_digits += 1,
            b'e' | b'E' => (n_digits, is_exponent) = (0, true),
            b'+' | b'-' if is_exponent && n_digits == 0 => {}
            _ => (n_digits, is_exponent) = (0, false),
        }
        n_digits >= if is_exponent { 3 } else { 200 }
    })
}

/// Appends the line of a record by way of its values.
fn print(how: &Transcription<'_>, record: &Map, lines: &mut Lines) {
    let start = lines.text.len();
    lines.text.extend_from_slice(how.open);
    write_record_data(record, &mut lines.text);
    lines.end(start, how.open.len(), how.close);
    let field = how.field.and_then(|name| Some((name.to_owned(), record.get(name)?.clone())));
    let is_null = |(_, value): &(String, Json)| value.is_null();
    lines.fields.push(Json::Object(field.filter(|field| !is_null(field)).into_iter().collect()));
}

/// A text without tags, which is read as a Python literal.
pub fn literal(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if ["{{", "{%", "{#", "stream_state"].iter().any(|tag| text.contains(tag)) {
        return;
    }
    let run = RunContext::fixed(now());
    let scope = Scope::new(&run);
    let repr_of = |text: &str| {
        let expression = Expression::new(text);
        let value = expression.eval(&scope, None, ValidTypes::ANY).ok()?;
        Some((value.type_name(), value.py_repr().ok()?))
    };
    // What is written out is read as the same; but text goes through two readings.
    if let Some((kind, repr)) = repr_of(text)
        && !matches!(kind, "str" | "NoneType")
        && !["{{", "{%", "{#", "nan", "inf", "Ellipsis"].iter().any(|tag| repr.contains(tag))
    {
        assert_eq!(repr_of(&repr), Some((kind, repr.clone())), "{text:?}");
    }
}

/// The address of a consent, with its placeholders: the client's secret never gets into it.
pub fn placeholders(data: &[u8]) {
    const SECRET: &str = "s3cret-0123456789";
    let Ok(text) = std::str::from_utf8(data) else { return };
    let input =
        serde_json::json!({"consent_url": text, "scope": "read write", "secret_too": SECRET});
    let oauth = serde_json::json!({"oauth_connector_input_specification": input});
    let spec =
        serde_json::json!({"spec": {"advanced_auth": {"oauth_config_specification": oauth}}});
    let manifest = Manifest::from_yaml(Source::new("manifest.yaml", spec.to_string()));
    let config = serde_json::json!({"client_id": "me & you", "client_secret": SECRET});
    let Ok(consent) = Consent::declared(&manifest, &config) else { return };
    let Ok(url) = consent.url("http://127.0.0.1/oauth/callback", "st4te") else { return };
    assert!(url.starts_with("http"));
    assert!(text.contains(SECRET) || !url.contains(SECRET));
}

/// A manifest from its text to what is built of it: references and parameters, shapes, lint,
/// migration, the normal form.
pub fn references(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Source::new("manifest.yaml", text);
    let (manifest, written) = Manifest::with_written(source.clone());
    render(&manifest.findings, Some(&source), false);
    let inspected = engine::inspect_manifest(&manifest);
    render(&inspected, Some(&source), false);
    if manifest.findings.has_errors() {
        return;
    }
    let json = manifest.root.to_json();
    normalize(&json);
    if engine::check_manifest(&manifest).0.is_some() {
        let found = lint::lint(&manifest, written.as_ref(), &Choice::default());
        render(&found, Some(&source), false);
        lint::apply_fixes(text, &found);
    }
    let _ = migrate(&source, |base, path| format!("{base}{path}"));
}

/// State messages, as a list and as the lines of a read's output.
pub fn state(data: &[u8]) {
    let Ok(messages) = kept_messages(data, "state.json") else { return };
    unread_messages(&messages);
    let Ok(states) = read_states(&messages) else { return };
    let written = state_messages(&states);
    assert_eq!(read_states(&written).expect("what is written can be read"), states);
    let halves = [("a".to_owned(), states.clone()), ("b".to_owned(), states)];
    let _ = merge_states(halves);
}

/// A template, as a text and as a condition, over a few variables.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let run = RunContext::fixed(now());
    let config = serde_json::json!({
        "start": "2024-01-02T03:04:05Z", "n": 7, "x": 1.5, "list": [3, 1, 2], "no": null,
        "nested": {"key": "value", "flag": true}, "text": "a,b;c",
    });
    let record =
        serde_json::json!({"id": 1, "name": "Ä b", "tags": ["x", "y"], "at": 1_700_000_000});
    let slice = StreamSlice::of_partition(Map::from_iter([("part".to_owned(), Json::from("p"))]));
    let scope = Scope::new(&run)
        .with("config", &config)
        .with("record", &record)
        .with("response", &record)
        .with("next_page_token", 5)
        .with("stream_slice", &slice);
    let parameters = Arc::new(Map::from_iter([("name".to_owned(), Json::from("users"))]));
    let string = InterpolatedString::new(text, parameters.clone());
    let value = string.eval(&scope).map(|value| value.py_repr());
    if !string.template().is_volatile() {
        let again = string.eval(&scope).map(|value| value.py_repr());
        assert_eq!(format!("{again:?}"), format!("{value:?}"));
    }
    let _ = InterpolatedBoolean::new(text, parameters).eval(&scope);
    if let Some(config) = config.as_object() {
        string.fold(&run, config);
    }
}

/// A body of XML, in one piece and in many.
pub fn xml(data: &[u8]) {
    let whole = decode(&XmlDecoder, data, data.len());
    assert!(whole.1.is_ok(), "what is no XML is an empty document");
    assert_eq!(decode(&XmlDecoder, data, 1), whole);
}

/// A text as YAML, and what it holds as YAML once more.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut findings = Findings::default();
    let source = Source::new("manifest.yaml", text);
    let root = parse_yaml(&source, &mut findings);
    render(&findings, Some(&source), false);
    // Many aliases may stand for millions of values, which take their time to be written.
    let Some(root) = root.filter(|_| text.matches('*').count() <= 20) else { return };
    let json = root.to_json();
    let node = Node::from_json(&json, None);
    let written = to_yaml(&node);
    let read = parse_yaml(&Source::new("written.yaml", written.as_str()), &mut findings);
    assert_eq!(read.map(|root| root.to_json()), Some(json), "{written}");
}

/// The moment at which everything happens.
fn now() -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_714_979_289).expect("the year is 2024")
}
