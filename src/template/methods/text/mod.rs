//! Methods of `str` and of its subclass `Markup`.

mod case;
mod classify;
mod encode;
mod find;
mod pad;
mod split;

use super::method;
use crate::template::format::{Arguments, str_format};
use crate::template::iterate::Iter;
use crate::template::value::Text;
use crate::template::{Args, Cx, EvalError, Value, markup, ops};

const METHODS: [&str; 45] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "zfill",
];

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    method(receiver, &METHODS, name)
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let text = receiver.as_str().unwrap_or_default();
    cx.charge(text.len())?;
    match name {
        "split" | "rsplit" => split::split(receiver, name, args),
        "splitlines" => split::split_lines(receiver, args),
        "partition" | "rpartition" => split::partition(receiver, name, args),
        "strip" | "lstrip" | "rstrip" => split::strip(receiver, name, args),
        "removeprefix" | "removesuffix" => split::remove_affix(receiver, name, args),
        "count" | "find" | "index" | "rfind" | "rindex" => find::find(text, name, args),
        "startswith" | "endswith" => find::has_affix(text, name, args),
        "center" | "ljust" | "rjust" => pad::justify(cx, receiver, name, args),
        "zfill" => pad::zero_fill(cx, receiver, args),
        "expandtabs" => pad::expand_tabs(cx, receiver, args),
        "encode" => encode::encode(text, args),
        "join" => join(cx, receiver, args),
        "replace" => replace(cx, receiver, args),
        "format" | "format_map" => format(cx, receiver, name, args),
        "capitalize" | "casefold" | "lower" | "swapcase" | "title" | "upper" => {
            args.none(name)?;
            Ok(like(receiver, case::convert(text, name)))
        }
        _ => {
            args.none(name)?;
            Ok(Value::Bool(classify::is(text, name)))
        }
    }
}

/// A text of the same type as `receiver`.
fn like<'a>(receiver: &Value<'a>, text: String) -> Value<'a> {
    match receiver {
        Value::Markup(_) => Value::Markup(text.into()),
        _ => Value::from(text),
    }
}

/// A part of `receiver`, which is not copied when it outlives the evaluation.
fn piece<'a>(receiver: &Value<'a>, range: std::ops::Range<usize>) -> Value<'a> {
    match receiver {
        Value::Str(Text::Borrowed(text)) => Value::from(&text[range]),
        Value::Str(Text::Shared(text)) => Value::str(&text[range]),
        Value::Markup(text) => Value::Markup(text[range].into()),
        _ => Value::None,
    }
}

/// The arguments of a method that takes them by position only.
fn positional<'a, const N: usize>(
    args: Args<'a>,
    name: &str,
    n_required: usize,
) -> Result<[Option<Value<'a>>; N], EvalError> {
    if !args.named.is_empty() {
        return Err(EvalError::Type(format!("str.{name}() takes no keyword arguments")));
    }
    args.bind(name, [""; N], n_required)
}

/// A text as an argument.
fn text_argument<'v>(
    value: Option<&'v Value<'_>>,
    name: &str,
    position: usize,
) -> Result<&'v str, EvalError> {
    match value {
        Some(Value::Undefined(_)) => Ok(""),
        Some(value) => value.as_str().ok_or_else(|| {
            let type_name = value.type_name();
            EvalError::Type(format!("{name}() argument {position} must be str, not {type_name}"))
        }),
        None => Ok(""),
    }
}

fn join<'a>(cx: &Cx<'a>, receiver: &Value<'a>, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let items = args.only("str.join")?;
    let mut items =
        Iter::find(&items).ok_or_else(|| EvalError::type_error("can only join an iterable"))?;
    let separator = receiver.as_str().unwrap_or_default();
    let is_markup = matches!(receiver, Value::Markup(_));
    let mut out = String::new();
    let mut idx = 0_usize;
    while let Some(item) = items.next(cx)? {
        if idx > 0 {
            out.push_str(separator);
        }
        match item.as_str() {
            _ if is_markup => out.push_str(&markup::escape(&item)?),
            Some(text) => out.push_str(text),
            None => {
                return Err(EvalError::Type(format!(
                    "sequence item {idx}: expected str instance, {} found",
                    item.type_name()
                )));
            }
        }
        idx += 1;
        cx.charge(separator.len() + item.as_str().map_or(0, str::len))?;
    }
    Ok(like(receiver, out))
}

fn replace<'a>(cx: &Cx<'a>, receiver: &Value<'a>, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let [old, new, count] = positional(args, "replace", 2)?;
    let text = receiver.as_str().unwrap_or_default();
    let old = text_argument(old.as_ref(), "replace", 1)?;
    let mut new = std::borrow::Cow::Borrowed(text_argument(new.as_ref(), "replace", 2)?);
    if matches!(receiver, Value::Markup(_)) {
        new = markup::escape_text(&new).into();
    }
    let count = count.map_or(Ok(-1), |count| ops::to_index(&count))?;
    // A negative count is no limit.
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let n_found = text.matches(old).take(count).count();
    if n_found == 0 {
        return Ok(receiver.clone());
    }
    cx.charge(n_found.saturating_mul(new.len()))?;
    Ok(like(receiver, text.replacen(old, &new, count)))
}

fn format<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let arguments = match name {
        "format_map" => Arguments::Mapping(args.only("format_map")?),
        _ => Arguments::Call(args),
    };
    let finish = match receiver {
        Value::Markup(_) => |text: String| markup::escape_text(&text),
        _ => |text| text,
    };
    let text = receiver.as_str().unwrap_or_default();
    Ok(like(receiver, str_format(cx, text, &arguments, finish)?))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::run::RunContext;
    use crate::value::Json;

    /// Calls `text.name(*args)`, and compares what `repr()` shows.
    #[track_caller]
    fn check(text: &str, name: &str, args: &Json, expect: &str) {
        let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
        let receiver = Value::from(text);
        let Some(Value::BoundMethod(method)) = attribute(&receiver, name) else {
            panic!("no method {name}");
        };
        let args = Args::of(args.as_array().unwrap().iter().map(Value::from_json).collect());
        let got = call(&Cx::new(&run), &receiver, method.name, args);
        let got = got.map_or_else(|err| format!("error: {err}"), |value| value.py_repr().unwrap());
        assert_eq!(got, expect, "{text:?}.{name}");
    }

    #[test]
    fn joining_and_replacing() {
        check(",", "join", &json!([["a", "b"]]), "'a,b'");
        check("-", "join", &json!(["abc"]), "'a-b-c'");
        check("-", "join", &json!([{"k": 1, "n": 2}]), "'k-n'");
        check(
            "-",
            "join",
            &json!([[1]]),
            "error: sequence item 0: expected str instance, int found",
        );
        check("-", "join", &json!([5]), "error: can only join an iterable");
        check("aXbX", "replace", &json!(["X", "-"]), "'a-b-'");
        check("aXbX", "replace", &json!(["X", "-", 1]), "'a-bX'");
        check("aXbX", "replace", &json!(["X", "-", -1]), "'a-b-'");
        check("ab", "replace", &json!(["", "-", 2]), "'-a-b'");
        check(
            "ab",
            "replace",
            &json!(["a", 1]),
            "error: replace() argument 2 must be str, not int",
        );
    }

    #[test]
    fn splitting() {
        check(" a  b ", "split", &json!([]), "['a', 'b']");
        check(" a  b c ", "split", &json!([null, 1]), "['a', 'b c ']");
        check(" a  b c ", "rsplit", &json!([null, 1]), "[' a  b', 'c']");
        check("a,b,,c", "split", &json!([","]), "['a', 'b', '', 'c']");
        check("a,b,,c", "split", &json!([",", 1]), "['a', 'b,,c']");
        check("a,b,,c", "rsplit", &json!([",", 1]), "['a,b,', 'c']");
        check("", "split", &json!([","]), "['']");
        check("", "split", &json!([]), "[]");
        check("a", "split", &json!([""]), "error: empty separator");
        check("a", "split", &json!([5]), "error: must be str or None, not int");
        check("a\nb\r\nc\u{2028}", "splitlines", &json!([]), "['a', 'b', 'c']");
        check("a\n\nb", "splitlines", &json!([true]), "['a\\n', '\\n', 'b']");
        check("a-b-c", "partition", &json!(["-"]), "('a', '-', 'b-c')");
        check("a-b-c", "rpartition", &json!(["-"]), "('a-b', '-', 'c')");
        check("abc", "partition", &json!(["-"]), "('abc', '', '')");
        check("abc", "rpartition", &json!(["-"]), "('', '', 'abc')");
    }

    #[test]
    fn stripping() {
        check("  pad\n", "strip", &json!([]), "'pad'");
        check("  pad  ", "lstrip", &json!([null]), "'pad  '");
        check("a/b/c", "lstrip", &json!(["a/"]), "'b/c'");
        check("xxaxx", "rstrip", &json!(["x"]), "'xxa'");
        check("a", "strip", &json!([5]), "error: strip arg must be None or str");
        check("prefix", "removeprefix", &json!(["pre"]), "'fix'");
        check("prefix", "removesuffix", &json!(["pre"]), "'prefix'");
    }

    #[test]
    fn finding() {
        check("héllo", "find", &json!(["l"]), "2");
        check("héllo", "rfind", &json!(["l"]), "3");
        check("héllo", "find", &json!(["z"]), "-1");
        check("héllo", "find", &json!(["l", 3]), "3");
        check("héllo", "find", &json!(["o", 0, -1]), "-1");
        check("abc", "find", &json!(["", 3]), "3");
        check("abc", "find", &json!(["", 4]), "-1");
        check("héllo", "index", &json!(["z"]), "error: substring not found");
        check("aaa", "count", &json!(["aa"]), "1");
        check("abc", "count", &json!([""]), "4");
        check("hello", "startswith", &json!(["he"]), "True");
        check("hello", "startswith", &json!(["l", 2]), "True");
        check("hello", "endswith", &json!(["l", 0, 4]), "True");
        check(
            "hello",
            "startswith",
            &json!([5]),
            "error: startswith first arg must be str or a tuple of str, not int",
        );
    }

    #[test]
    fn padding() {
        check("ab", "center", &json!([5]), "'  ab '");
        check("a", "center", &json!([4]), "' a  '");
        check("ab", "ljust", &json!([4, "."]), "'ab..'");
        check("ab", "rjust", &json!([4]), "'  ab'");
        check(
            "ab",
            "rjust",
            &json!([4, "xy"]),
            "error: The fill character must be exactly one character long",
        );
        check("-5", "zfill", &json!([5]), "'-0005'");
        check("a\tb", "expandtabs", &json!([4]), "'a   b'");
        check(
            "ab",
            "ljust",
            &json!([1_000_000_000_000_i64]),
            "error: the template takes more than its share (64 MiB, 8,388,608 steps, or 60 seconds)",
        );
    }

    #[test]
    fn cases() {
        check("hello wORLD's", "title", &json!([]), "\"Hello World'S\"");
        check("hELLO", "capitalize", &json!([]), "'Hello'");
        check("Straße", "casefold", &json!([]), "'strasse'");
        check("aBc", "swapcase", &json!([]), "'AbC'");
        check("a", "upper", &json!([1]), "error: upper() takes no arguments (1 given)");
    }

    #[test]
    fn classes() {
        check("12", "isdigit", &json!([]), "True");
        check("", "isdigit", &json!([]), "False");
        check("a1", "isalnum", &json!([]), "True");
        check("a1", "isalpha", &json!([]), "False");
        check("ab1", "islower", &json!([]), "True");
        check("12", "islower", &json!([]), "False");
        check("Ab Cd", "istitle", &json!([]), "True");
        check("", "isascii", &json!([]), "True");
        check(" \t", "isspace", &json!([]), "True");
        check("a_1", "isidentifier", &json!([]), "True");
    }

    #[test]
    fn encoding() {
        check("é", "encode", &json!([]), r"b'\xc3\xa9'");
        check("é", "encode", &json!(["latin-1"]), r"b'\xe9'");
        check("é", "encode", &json!(["ascii", "ignore"]), "b''");
        check(
            "aé",
            "encode",
            &json!(["ascii"]),
            r"error: 'ascii' codec can't encode character '\xe9' in position 1: ordinal not in range(128)",
        );
        check("a", "encode", &json!(["nope"]), "error: unknown encoding: nope");
    }

    #[test]
    fn formatting() {
        check("{}-{:03d}", "format", &json!(["a", 5]), "'a-005'");
        check("{a}", "format_map", &json!([{"a": 1}]), "'1'");
    }

    #[test]
    fn markup_stays_markup() {
        let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
        let receiver = Value::Markup("<a>".into());
        let args = Args::of(vec![Value::from("a"), Value::from("<")]);
        let replaced = call(&Cx::new(&run), &receiver, "replace", args).unwrap();
        assert_eq!(replaced.py_repr().unwrap(), "Markup('<&lt;>')");
    }
}
