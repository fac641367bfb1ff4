//! Filters that look at their input only when somebody asks for the result.
#![expect(clippy::unnecessary_wraps, reason = "filters have one signature")]

use crate::template::args::Args;
use crate::template::cx::Cx;
use crate::template::dict::{Key, Set};
use crate::template::error::EvalError;
use crate::template::iterate::{Iter, Next, pairs};
use crate::template::object::Generator;
use crate::template::value::Value;
use crate::template::{ops, tests};

use super::attributes::Path;
use super::{call_by_name, flag};

type Evaluated<'a> = Result<Value<'a>, EvalError>;

/// What is done with each item: dropped, or kept, maybe as something else.
type Step<'a> = Box<dyn FnMut(&Cx<'a>, Value<'a>) -> Result<Option<Value<'a>>, EvalError> + 'a>;

/// A generator that makes its step when its first item is asked for.
fn generator<'a>(
    description: &'static str,
    input: Value<'a>,
    make: impl FnOnce() -> Result<Step<'a>, EvalError> + 'a,
) -> Value<'a> {
    let mut make = Some(make);
    let mut running: Option<(Iter<'a>, Step<'a>)> = None;
    let next = move |cx: &Cx<'a>| {
        if let Some(make) = make.take() {
            running = Some((Iter::new(&input)?, make()?));
        }
        let Some((items, step)) = &mut running else { return Ok(None) };
        while let Some(item) = items.next(cx)? {
            if let Some(kept) = step(cx, item)? {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    };
    let next: Next<'a> = Box::new(next);
    Generator::new(description, Iter::Lazy(next)).into_value()
}

/// What these filters take for no items at all: everything false.
fn or_empty<'a>(input: &Value<'a>) -> Value<'a> {
    if input.is_truthy() { input.clone() } else { Value::list(Vec::new()) }
}

pub(super) fn map<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let make = move || -> Result<Step<'a>, EvalError> {
        let Args { mut positional, mut named } = args;
        let mut take = |wanted: &str| {
            let found = named.iter().position(|(name, _)| **name == *wanted)?;
            Some(named.remove(found).1)
        };
        if positional.is_empty()
            && let Some(attribute) = take("attribute")
        {
            let path = Path::new(Some(&attribute)).or(take("default"));
            if let Some((unknown, _)) = named.first() {
                let message = format!("Unexpected keyword argument '{unknown}'");
                return Err(EvalError::FilterArgument(message));
            }
            return Ok(Box::new(move |_, item| path.get(&item).map(Some)));
        }
        if positional.is_empty() {
            return Err(EvalError::FilterArgument("map requires a filter argument".to_owned()));
        }
        let filter = positional.remove(0);
        let args = Args { positional, named };
        Ok(Box::new(move |cx, item| call_by_name(cx, &filter, &item, args.clone()).map(Some)))
    };
    Ok(generator("generator object sync_do_map", or_empty(input), make))
}

pub(super) fn select<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    Ok(choose(input, args, false, true))
}

pub(super) fn reject<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    Ok(choose(input, args, false, false))
}

pub(super) fn selectattr<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    Ok(choose(input, args, true, true))
}

pub(super) fn rejectattr<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    Ok(choose(input, args, true, false))
}

fn choose<'a>(input: &Value<'a>, args: Args<'a>, by_attribute: bool, keeps: bool) -> Value<'a> {
    let make = move || -> Result<Step<'a>, EvalError> {
        let Args { mut positional, named } = args;
        if by_attribute && positional.is_empty() {
            let message = "Missing parameter for attribute name";
            return Err(EvalError::FilterArgument(message.to_owned()));
        }
        let path =
            if by_attribute { Path::new(Some(&positional.remove(0))) } else { Path::default() };
        let test = (!positional.is_empty()).then(|| positional.remove(0));
        let args = Args { positional, named };
        Ok(Box::new(move |cx, item| {
            let tested = path.get(&item)?;
            let holds = match &test {
                None => tested.is_truthy(),
                Some(test) => tests::call_by_name(cx, test, &tested, args.clone())?,
            };
            Ok((holds == keeps).then_some(item))
        }))
    };
    generator("generator object select_or_reject", or_empty(input), make)
}

pub(super) fn unique<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [case_sensitive, attribute] = args.bind("unique", ["case_sensitive", "attribute"], 0)?;
    let path = Path::new(attribute.as_ref()).ignoring_case(!flag(case_sensitive, false));
    let mut seen = Set::new();
    let step: Step<'a> =
        Box::new(move |_, item| Ok(seen.insert(Key::new(path.get(&item)?)?).then_some(item)));
    Ok(generator("generator object sync_do_unique", input.clone(), move || Ok(step)))
}

pub(super) fn items<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("items")?;
    let input = input.clone();
    let mut items: Option<Iter<'a>> = None;
    let next = move |cx: &Cx<'a>| {
        if items.is_none() {
            if !input.is_undefined() && !ops::is_mapping(&input) {
                return Err(EvalError::type_error("Can only get item pairs from a mapping."));
            }
            let pairs = pairs(&input).into_iter();
            items = Some(Iter::of(pairs.map(|(key, value)| Value::tuple([key, value])).collect()));
        }
        items.as_mut().map_or(Ok(None), |items| items.next(cx))
    };
    Ok(Generator::new("generator object do_items", Iter::Lazy(Box::new(next))).into_value())
}
