//! Upper and lower case.

/// What the method `name` makes of `text`.
pub(super) fn convert(text: &str, name: &str) -> String {
    match name {
        "lower" => text.to_lowercase(),
        "upper" => text.to_uppercase(),
        // Beyond lower case, only the sharp s and the final sigma are common.
        "casefold" => text.to_lowercase().replace('ß', "ss").replace('ς', "σ"),
        "swapcase" => text.chars().flat_map(swapped).collect(),
        "capitalize" => {
            let mut chars = text.chars();
            let first = chars.next().map(title_case).unwrap_or_default();
            first + &chars.as_str().to_lowercase()
        }
        _ => title(text),
    }
}

fn swapped(char: char) -> Vec<char> {
    match char {
        _ if char.is_uppercase() => char.to_lowercase().collect(),
        _ if char.is_lowercase() => char.to_uppercase().collect(),
        _ => vec![char],
    }
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_inside_word = false;
    for char in text.chars() {
        if is_inside_word {
            out.extend(char.to_lowercase());
        } else {
            out.push_str(&title_case(char));
        }
        is_inside_word = is_cased(char);
    }
    out
}

/// The form at the start of a word; of several letters only the first is large.
fn title_case(char: char) -> String {
    let mut upper = char.to_uppercase();
    let first = upper.next().into_iter();
    first.chain(upper.flat_map(char::to_lowercase)).collect()
}

/// Whether a character has an upper and a lower case.
pub(super) fn is_cased(char: char) -> bool {
    char.is_lowercase() || char.is_uppercase()
}
