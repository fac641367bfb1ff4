//! Texts filled up to a width.

use super::{like, positional};
use crate::template::{Args, Cx, EvalError, Value, markup, ops};

/// `center`, `ljust` and `rjust`.
pub(super) fn justify<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [width, fill] = positional(args, name, 1)?;
    let text = receiver.as_str().unwrap_or_default();
    let n_fill = missing(cx, text, width)?;
    let fill = match fill {
        None => " ".to_owned(),
        Some(fill) if fill.as_str().is_none() => {
            return Err(EvalError::Type(format!(
                "The fill character must be a unicode character, not {}",
                fill.type_name()
            )));
        }
        Some(fill) if matches!(receiver, Value::Markup(_)) => markup::escape(&fill)?.into_owned(),
        Some(fill) => fill.as_str().unwrap_or_default().to_owned(),
    };
    if fill.chars().count() != 1 {
        let message = "The fill character must be exactly one character long";
        return Err(EvalError::type_error(message));
    }
    let n_left = match name {
        "rjust" => n_fill,
        // An odd one out stands on the left when the width is odd.
        "center" => n_fill / 2 + (n_fill & (n_fill + text.chars().count()) & 1),
        _ => 0,
    };
    Ok(like(receiver, fill.repeat(n_left) + text + &fill.repeat(n_fill - n_left)))
}

/// `zfill`: zeros behind the sign.
pub(super) fn zero_fill<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [width] = positional(args, "zfill", 1)?;
    let text = receiver.as_str().unwrap_or_default();
    let zeros = "0".repeat(missing(cx, text, width)?);
    let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
    Ok(like(receiver, format!("{sign}{zeros}{digits}")))
}

/// `expandtabs`.
pub(super) fn expand_tabs<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [size] = args.bind("expandtabs", ["tabsize"], 0)?;
    let size = size.map_or(Ok(8), |size| ops::to_index(&size))?;
    let size = usize::try_from(size).unwrap_or(0);
    let mut out = String::new();
    let mut column = 0;
    for char in receiver.as_str().unwrap_or_default().chars() {
        match char {
            '\t' if size > 0 => {
                let n_blanks = size - column % size;
                cx.charge(n_blanks)?;
                out.extend(std::iter::repeat_n(' ', n_blanks));
                column += n_blanks;
            }
            '\t' => {}
            _ => {
                out.push(char);
                column = if matches!(char, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(like(receiver, out))
}

/// How many characters are missing to a width.
fn missing(cx: &Cx<'_>, text: &str, width: Option<Value<'_>>) -> Result<usize, EvalError> {
    let width = ops::to_index(&width.unwrap_or(Value::None))?;
    let n_fill = usize::try_from(width).unwrap_or(0).saturating_sub(text.chars().count());
    cx.charge(n_fill)?;
    Ok(n_fill)
}
