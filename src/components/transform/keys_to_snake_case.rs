//! `KeysToSnakeCase`: names as `words_like_these`, also inside of objects (but not of lists).
//!
//! Names are first written in ASCII letters. A word is a run of capitals with
//! the small letters behind it, a run of small letters, or a run of digits;
//! anything else between them is an empty word, which counts at the ends only.

use std::sync::Arc;

use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, Component, ReadError, Transformation};
use crate::value::{Json, Map, StreamSlice};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Turns all names of fields into snake case.
        pub struct KeysToSnakeCase {}
    }
}

impl Component for yaml::KeysToSnakeCase {
    type Family = dyn Transformation;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        Ok(Arc::new(KeysToSnakeCase))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct KeysToSnakeCase;

impl Transformation for KeysToSnakeCase {
    fn transform(&self, record: &mut Map, _: &StreamSlice) -> Result<(), ReadError> {
        rename(record);
        Ok(())
    }
}

fn rename(object: &mut Map) {
    for value in object.values_mut() {
        if let Json::Object(inner) = value {
            rename(inner);
        }
    }
    if object.keys().all(|key| is_snake_case(key)) {
        return;
    }
    let renamed = std::mem::take(object).into_iter();
    *object = renamed.map(|(key, value)| (snake_case(&key), value)).collect();
}

/// Whether the name surely stays as it is: words of small letters with single underscores between.
fn is_snake_case(key: &str) -> bool {
    key.split('_').all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
}

fn snake_case(key: &str) -> String {
    let ascii = any_ascii::any_ascii(key);
    let mut words = Vec::new();
    let mut rest = ascii.as_str();
    while let Some(first) = rest.bytes().next() {
        let run = |text: &str, class: fn(&u8) -> bool| text.bytes().take_while(class).count();
        let (len, is_word) = if first.is_ascii_uppercase() {
            let n_capitals = run(rest, u8::is_ascii_uppercase);
            (n_capitals + run(&rest[n_capitals..], u8::is_ascii_lowercase), true)
        } else if first.is_ascii_lowercase() {
            (run(rest, u8::is_ascii_lowercase), true)
        } else if first.is_ascii_digit() {
            (run(rest, u8::is_ascii_digit), true)
        } else {
            (run(rest, |byte| !byte.is_ascii_alphanumeric()), false)
        };
        let (word, behind) = rest.split_at(len);
        words.push(if is_word { word } else { "" });
        rest = behind;
    }
    let last_idx = words.len().saturating_sub(1);
    let mut word_idx = 0;
    words.retain(|word| {
        let is_end = word_idx == 0 || word_idx == last_idx;
        word_idx += 1;
        is_end || !word.is_empty()
    });
    if words.first().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit())) {
        words.insert(0, "");
    }
    words.join("_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(key: &str, expect: &str) {
        let mut record = Map::from_iter([(key.to_owned(), Json::Null)]);
        KeysToSnakeCase.transform(&mut record, &StreamSlice::default()).unwrap();
        assert_eq!(record.keys().next().unwrap(), expect);
    }

    #[test]
    fn words_are_found() {
        check("snake_case", "snake_case");
        check("camelCase", "camel_case");
        check("HTTPServer", "httpserver");
        check("getHTTPResponseCode", "get_httpresponse_code");
        check("userID", "user_id");
        check("a1b2", "a_1_b_2");
        check("Name (full)", "name_full_");
    }

    #[test]
    fn what_is_no_word_counts_at_the_ends() {
        check("x__y", "x_y");
        check("__x__", "_x_");
        check("$id", "_id");
        check("a$", "a_");
        check("1abc", "_1_abc");
        check("%", "");
        check("%1", "_1");
        check("", "");
    }

    #[test]
    fn other_letters_are_written_in_ascii() {
        check("éclair", "eclair");
        check("straße", "strasse");
        check("日本", "ri_ben");
    }

    #[test]
    fn objects_are_entered_and_lists_are_not() {
        let mut record = json!({"aB": {"cD": [{"eF": 1}]}, "a_b": 2});
        KeysToSnakeCase
            .transform(record.as_object_mut().unwrap(), &StreamSlice::default())
            .unwrap();
        assert_eq!(record.to_string(), r#"{"a_b":2}"#);
        let mut record = json!({"aB": {"cD": [{"eF": 1}]}});
        rename(record.as_object_mut().unwrap());
        assert_eq!(record.to_string(), r#"{"a_b":{"c_d":[{"eF":1}]}}"#);
    }
}
