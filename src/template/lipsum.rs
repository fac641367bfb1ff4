//! `lipsum()`: text without a meaning.

use super::args::Args;
use super::cx::Cx;
use super::error::EvalError;
use super::ops;
use super::value::Value;

const WORDS: [&str; 24] = [
    "ac",
    "aliquam",
    "amet",
    "ante",
    "consectetur",
    "cras",
    "dolor",
    "elit",
    "erat",
    "eros",
    "fusce",
    "in",
    "ipsum",
    "lectus",
    "lorem",
    "magna",
    "mauris",
    "nunc",
    "porta",
    "quis",
    "sed",
    "sit",
    "vel",
    "vitae",
];

/// Paragraphs of random words, as markup or as text.
pub(super) fn lipsum<'a>(cx: &Cx<'a>, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let [n, html, min, max] = args.bind("generate_lorem_ipsum", ["n", "html", "min", "max"], 0)?;
    let number = |argument: Option<Value<'a>>, default: usize| match argument {
        None => Ok(default),
        Some(argument) => {
            ops::to_index(&argument).map(|number| usize::try_from(number).unwrap_or(0))
        }
    };
    let (n, min, max) = (number(n, 5)?, number(min, 20)?, number(max, 100)?);
    if max <= min {
        return Err(EvalError::Value(format!("empty range for randrange() ({min}, {max})")));
    }
    cx.charge(n.saturating_mul(max).saturating_mul(8))?;
    let paragraphs: Vec<String> =
        (0..n).map(|_| paragraph(cx, min + below(cx, max - min))).collect();
    if html.is_some_and(|html| !html.is_truthy()) {
        return Ok(Value::from(paragraphs.join("\n\n")));
    }
    let tagged: Vec<String> =
        paragraphs.iter().map(|paragraph| format!("<p>{paragraph}</p>")).collect();
    Ok(Value::Markup(tagged.join("\n").into()))
}

fn paragraph(cx: &Cx<'_>, n_words: usize) -> String {
    let mut text = String::new();
    let mut is_first = true;
    for idx in 0..n_words {
        let word = WORDS[below(cx, WORDS.len())];
        if idx > 0 {
            text.push(' ');
        }
        let initial = if is_first { word[..1].to_uppercase() } else { word[..1].to_owned() };
        text.push_str(&initial);
        text.push_str(&word[1..]);
        is_first = below(cx, 10) == 0 || idx + 1 == n_words;
        if is_first {
            text.push('.');
        }
    }
    text
}

/// A random number below `limit`.
fn below(cx: &Cx<'_>, limit: usize) -> usize {
    let mut bytes = [0; 4];
    cx.run().fill_random(&mut bytes);
    u32::from_le_bytes(bytes) as usize % limit
}
