//! Filters: Jinja's own and those of the reference, which replaces some of them.

mod attributes;
mod crypto;
mod html;
mod lazy;
mod numbers;
mod pretty;
mod sequences;
mod text;
mod wrap;

use super::args::Args;
use super::cx::Cx;
use super::error::EvalError;
use super::value::{Text, Value};

pub(crate) use crypto::hex;
pub(crate) use text::quote_plus;

/// What a filter does with its input and its arguments.
pub(crate) type Filter = for<'a> fn(&Cx<'a>, &Value<'a>, Args<'a>) -> Result<Value<'a>, EvalError>;

/// The filter of that name.
pub(crate) fn find(name: &str) -> Option<Filter> {
    Some(match name {
        "abs" => numbers::abs,
        "attr" => attributes::attr,
        "base64binascii_decode" => crypto::base64binascii_decode,
        "base64decode" => crypto::base64decode,
        "base64encode" => crypto::base64encode,
        "batch" => sequences::batch,
        "capitalize" => text::capitalize,
        "center" => text::center,
        "count" | "length" => sequences::length,
        "d" | "default" => default,
        "dictsort" => sequences::dictsort,
        "e" | "escape" => html::escape,
        "filesizeformat" => numbers::filesizeformat,
        "first" => sequences::first,
        "float" => numbers::float,
        "forceescape" => html::forceescape,
        "format" => text::format,
        "groupby" => sequences::groupby,
        "hash" => crypto::hash,
        "hmac" => crypto::hmac,
        "indent" => text::indent,
        "int" => numbers::int,
        "items" => lazy::items,
        "join" => sequences::join,
        "last" => sequences::last,
        "list" => sequences::list,
        "lower" => text::lower,
        "map" => lazy::map,
        "max" => sequences::max,
        "min" => sequences::min,
        "pprint" => pretty::pprint,
        "random" => sequences::random,
        "regex_replace" => text::regex_replace,
        "regex_search" => text::regex_search,
        "reject" => lazy::reject,
        "rejectattr" => lazy::rejectattr,
        "replace" => text::replace,
        "reverse" => sequences::reverse,
        "round" => numbers::round,
        "safe" => html::safe,
        "select" => lazy::select,
        "selectattr" => lazy::selectattr,
        "slice" => sequences::slice,
        "sort" => sequences::sort,
        "string" => text::string,
        "striptags" => html::striptags,
        "sum" => sequences::sum,
        "title" => text::title,
        "tojson" => html::tojson,
        "trim" => text::trim,
        "truncate" => text::truncate,
        "unique" => lazy::unique,
        "upper" => text::upper,
        "urlencode" => text::urlencode,
        "urlize" => html::urlize,
        "wordcount" => text::wordcount,
        "wordwrap" => wrap::wordwrap,
        "xmlattr" => html::xmlattr,
        _ => return None,
    })
}

fn default<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let [default, for_false] = args.bind("default", ["default_value", "boolean"], 0)?;
    let is_replaced = input.is_undefined()
        || (for_false.is_some_and(|flag| flag.is_truthy()) && !input.is_truthy());
    Ok(if is_replaced { default.unwrap_or_else(|| Value::from("")) } else { input.clone() })
}

/// Runs a filter that is known by its name only when the template runs.
fn call_by_name<'a>(
    cx: &Cx<'a>,
    name: &Value<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    match name.as_str().and_then(find) {
        Some(filter) => filter(cx, input, args),
        None => Err(EvalError::Runtime(format!("No filter named {}.", name.py_repr()?))),
    }
}

/// `str(value)`, except that markup stays markup.
fn soft_str<'a>(value: &Value<'a>) -> Result<Value<'a>, EvalError> {
    match value {
        Value::Str(_) | Value::Markup(_) => Ok(value.clone()),
        _ => Ok(Value::from(value.py_str()?.into_owned())),
    }
}

/// `str(value)` as a text of the evaluation, not of the value.
fn to_text<'a>(value: &Value<'a>) -> Result<Text<'a>, EvalError> {
    match value {
        Value::Str(text) => Ok(text.clone()),
        Value::Markup(text) => Ok(Text::Shared(text.clone())),
        _ => Ok(Text::from(value.py_str()?.into_owned())),
    }
}

/// The text of an argument that has to be one.
fn text_argument<'v>(value: &'v Value<'_>, what: &str) -> Result<&'v str, EvalError> {
    value
        .as_str()
        .ok_or_else(|| EvalError::Type(format!("{what} must be str, not {}", value.type_name())))
}

/// The flag of an optional argument.
fn flag(argument: Option<Value<'_>>, default: bool) -> bool {
    argument.map_or(default, |value| value.is_truthy())
}
