//! Filters over the items of a value.

use crate::template::args::Args;
use crate::template::ast::BinaryOp;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::iterate::{Iter, nothing, pairs};
use crate::template::object::{Generator, Object};
use crate::template::ops::{self, Order};
use crate::template::value::Value;

use super::attributes::Path;
use super::{flag, to_text};

type Evaluated<'a> = Result<Value<'a>, EvalError>;

fn collect<'a>(cx: &Cx<'a>, value: &Value<'a>) -> Result<Vec<Value<'a>>, EvalError> {
    Iter::new(value)?.collect(cx)
}

pub(super) fn length<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("len")?;
    ops::require_length(input).map(ops::int)
}

pub(super) fn list<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("list")?;
    collect(cx, input).map(Value::list)
}

pub(super) fn first<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("first")?;
    let first = Iter::new(input)?.next(cx)?;
    Ok(first.unwrap_or_else(|| nothing("No first item, sequence was empty.")))
}

pub(super) fn last<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("last")?;
    let last = reversed(cx, input)?.into_iter().next();
    Ok(last.unwrap_or_else(|| nothing("No last item, sequence was empty.")))
}

/// The items of what Python can walk backwards; generators and sets it cannot.
fn reversed<'a>(cx: &Cx<'a>, value: &Value<'a>) -> Result<Vec<Value<'a>>, EvalError> {
    let is_reversible = match value {
        Value::Set(_) | Value::StreamSlice(_) | Value::Headers(_) => false,
        Value::Object(object) => matches!(**object, Object::View(_) | Object::Group(..)),
        _ => Iter::find(value).is_some(),
    };
    if !is_reversible {
        let type_name = value.type_name();
        return Err(EvalError::Type(format!("'{type_name}' object is not reversible")));
    }
    let mut items = collect(cx, value)?;
    items.reverse();
    Ok(items)
}

pub(super) fn reverse<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("reverse")?;
    match input {
        Value::Str(text) => {
            cx.charge(text.len())?;
            return Ok(Value::from(text.chars().rev().collect::<String>()));
        }
        Value::Markup(text) => {
            let reversed: String = text.chars().rev().collect();
            return Ok(Value::Markup(reversed.into()));
        }
        _ => {}
    }
    match reversed(cx, input) {
        Ok(items) => {
            let name = match input {
                Value::List(_) | Value::JsonList(_) => "list_reverseiterator object",
                Value::Dict(_) | Value::JsonDict(_) => "dict_reversekeyiterator object",
                _ => "reversed object",
            };
            Ok(Generator::new(name, Iter::of(items)).into_value())
        }
        Err(EvalError::Type(_)) => {
            let mut items = collect(cx, input).map_err(|err| match err {
                EvalError::Type(_) => {
                    EvalError::FilterArgument("argument must be iterable".to_owned())
                }
                err => err,
            })?;
            items.reverse();
            Ok(Value::list(items))
        }
        Err(err) => Err(err),
    }
}

pub(super) fn random<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("random")?;
    let length = ops::require_length(input)?;
    if length == 0 {
        return Ok(nothing("No random item, sequence was empty."));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "the fraction is below 1, and sequences are short"
    )]
    let position = (cx.run().random_fraction() * length as f64) as usize;
    ops::get_item(input, &ops::int(position))
}

pub(super) fn join<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [separator, attribute] = args.bind("join", ["d", "attribute"], 0)?;
    let separator = separator.as_ref().map(to_text).transpose()?;
    let path = Path::new(attribute.as_ref());
    let mut joined = String::new();
    let mut items = Iter::new(input)?;
    let mut is_first = true;
    while let Some(item) = items.next(cx)? {
        let length = joined.len();
        if let Some(separator) = separator.as_ref().filter(|_| !is_first) {
            joined.push_str(separator);
        }
        is_first = false;
        joined.push_str(&path.get(&item)?.py_str()?);
        cx.charge(joined.len() - length)?;
    }
    Ok(Value::from(joined))
}

pub(super) fn sum<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [attribute, start] = args.bind("sum", ["attribute", "start"], 0)?;
    let path = Path::new(attribute.as_ref());
    let mut total = start.unwrap_or(Value::Int(0));
    if total.as_str().is_some() {
        return Err(EvalError::type_error("sum() can't sum strings [use ''.join(seq) instead]"));
    }
    let mut items = Iter::new(input)?;
    while let Some(item) = items.next(cx)? {
        total = ops::binary(cx, BinaryOp::Add, &total, &path.get(&item)?)?;
    }
    Ok(total)
}

pub(super) fn max<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    extreme(cx, input, args, Order::Gt)
}

pub(super) fn min<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    extreme(cx, input, args, Order::Lt)
}

fn extreme<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>, order: Order) -> Evaluated<'a> {
    let [case_sensitive, attribute] = args.bind("max", ["case_sensitive", "attribute"], 0)?;
    let path = Path::new(attribute.as_ref()).ignoring_case(!flag(case_sensitive, false));
    let best = ops::extreme(cx, collect(cx, input)?, order, |item| path.get(item))?;
    Ok(best.unwrap_or_else(|| nothing("No aggregated item, sequence was empty.")))
}

pub(super) fn sort<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [reverse, case_sensitive, attribute] =
        args.bind("sort", ["reverse", "case_sensitive", "attribute"], 0)?;
    let ignores_case = !flag(case_sensitive, false);
    let paths: Vec<_> = Path::several(attribute.as_ref())
        .into_iter()
        .map(|path| path.ignoring_case(ignores_case))
        .collect();
    let key = |item: &Value<'a>| {
        let keys: Vec<_> = paths.iter().map(|path| path.get(item)).collect::<Result<_, _>>()?;
        Ok(Value::list(keys))
    };
    ops::sort(cx, collect(cx, input)?, flag(reverse, false), key).map(Value::list)
}

pub(super) fn dictsort<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [case_sensitive, by, reverse] =
        args.bind("dictsort", ["case_sensitive", "by", "reverse"], 0)?;
    let by_value = match by.as_ref().map(Value::as_str) {
        None | Some(Some("key")) => false,
        Some(Some("value")) => true,
        _ => {
            let message = "You can only sort by either \"key\" or \"value\"";
            return Err(EvalError::FilterArgument(message.to_owned()));
        }
    };
    if let Value::Undefined(undefined) = input {
        return Err(undefined.error());
    }
    if !ops::is_mapping(input) {
        return Err(EvalError::Attribute(format!(
            "'{}' object has no attribute 'items'",
            input.type_name()
        )));
    }
    let path = Path::new(Some(&Value::Int(i64::from(by_value))))
        .ignoring_case(!flag(case_sensitive, false));
    let items = pairs(input).into_iter().map(|(key, value)| Value::tuple([key, value])).collect();
    ops::sort(cx, items, flag(reverse, false), |item| path.get(item)).map(Value::list)
}

pub(super) fn groupby<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [attribute, default, case_sensitive] =
        args.bind("groupby", ["attribute", "default", "case_sensitive"], 1)?;
    let real = Path::new(attribute.as_ref()).or(default);
    let compared = real.clone().ignoring_case(!flag(case_sensitive, false));
    let sorted = ops::sort(cx, collect(cx, input)?, false, |item| compared.get(item))?;
    let mut groups: Vec<(Value<'a>, Vec<Value<'a>>)> = Vec::new();
    for item in sorted {
        let key = compared.get(&item)?;
        match groups.last_mut() {
            Some((last, items)) if ops::equal(cx, last, &key)? => items.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let groups = groups.into_iter().map(|(_, items)| {
        let grouper = real.get(&items[0])?;
        Ok(Object::Group(grouper, Value::list(items)).into_value())
    });
    Ok(Value::list(groups.collect::<Result<_, EvalError>>()?))
}

pub(super) fn batch<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [line_count, fill] = args.bind("batch", ["linecount", "fill_with"], 1)?;
    let line_count = line_count.unwrap_or(Value::None);
    let fill = fill.filter(|fill| !fill.is_none());
    let input = input.clone();
    let mut items = None;
    let mut pending = None;
    let next = move |cx: &Cx<'a>| {
        if items.is_none() {
            items = Some(Iter::new(&input)?);
        }
        let Some(items) = &mut items else { return Ok(None) };
        let mut line: Vec<Value<'a>> = pending.take().into_iter().collect();
        while let Some(item) = items.next(cx)? {
            if ops::equal(cx, &ops::int(line.len()), &line_count)? {
                pending = Some(item);
                return Ok(Some(Value::list(line)));
            }
            line.push(item);
        }
        if line.is_empty() {
            return Ok(None);
        }
        if let Some(fill) = &fill {
            let n_missing = ops::to_index(&line_count)? - i64::try_from(line.len()).unwrap_or(0);
            let n_missing = usize::try_from(n_missing).unwrap_or(0);
            cx.charge(n_missing)?;
            line.extend(std::iter::repeat_n(fill.clone(), n_missing));
        }
        Ok(Some(Value::list(line)))
    };
    Ok(Generator::new("generator object do_batch", Iter::Lazy(Box::new(next))).into_value())
}

pub(super) fn slice<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [slices, fill] = args.bind("slice", ["slices", "fill_with"], 1)?;
    let slices = slices.unwrap_or(Value::None);
    let fill = fill.filter(|fill| !fill.is_none());
    let input = input.clone();
    let mut parts: Option<std::vec::IntoIter<Value<'a>>> = None;
    let next = move |cx: &Cx<'a>| {
        if parts.is_none() {
            parts = Some(cut(cx, &input, &slices, fill.as_ref())?.into_iter());
        }
        Ok(parts.as_mut().and_then(Iterator::next))
    };
    Ok(Generator::new("generator object sync_do_slice", Iter::Lazy(Box::new(next))).into_value())
}

/// Cuts the items into a number of slices of nearly the same length.
fn cut<'a>(
    cx: &Cx<'a>,
    input: &Value<'a>,
    slices: &Value<'a>,
    fill: Option<&Value<'a>>,
) -> Result<Vec<Value<'a>>, EvalError> {
    let items = collect(cx, input)?;
    let n_slices = ops::to_index(slices)?;
    if n_slices == 0 {
        let message = "integer division or modulo by zero";
        return Err(EvalError::ZeroDivision(message.to_owned()));
    }
    let n_slices = usize::try_from(n_slices).unwrap_or(0);
    cx.charge(n_slices)?;
    let mut parts = Vec::new();
    let mut start = 0;
    for idx in 0..n_slices {
        let is_longer = idx < items.len() % n_slices;
        let end = start + items.len() / n_slices + usize::from(is_longer);
        let mut part = items[start..end].to_vec();
        part.extend(fill.filter(|_| !is_longer).cloned());
        parts.push(Value::list(part));
        start = end;
    }
    Ok(parts)
}
