//! Writing a value at a path, making what is missing on the way (`dpath.new`).

use super::error::PathError;
use super::python::python_repr;
use super::{Json, Map, python_str};

/// Puts `value` at `path` in `root`, over what may be there.
///
/// No segment is a pattern. Missing parents are made: a list when the segment
/// below is a number, else an object; a list grows with nulls up to the index.
pub fn insert(root: &mut Map, path: &[Json], value: Json) -> Result<(), PathError> {
    let Some((first, rest)) = path.split_first() else { return Err(PathError::Empty) };
    let mut place = root.entry(python_str(first)).or_insert_with(|| missing(rest));
    for (segment, segment_idx) in rest.iter().zip(1..) {
        let below = &rest[segment_idx..];
        place = match place {
            Json::Object(object) => {
                object.entry(python_str(segment)).or_insert_with(|| missing(below))
            }
            Json::Array(items) => {
                let Some(index) = as_index(segment) else {
                    return Err(PathError::NotAnIndex { path: text_of(path), segment_idx });
                };
                let n_items = items.len();
                if index >= n_items {
                    items.resize(index + 1, Json::Null);
                    items[index] = missing(below);
                }
                &mut items[index]
            }
            _ => {
                let segment_idx = segment_idx - 1;
                return Err(PathError::NotFound { path: text_of(path), segment_idx });
            }
        };
    }
    *place = value;
    Ok(())
}

/// What has to be made for the segments `below` to be entered.
fn missing(below: &[Json]) -> Json {
    match below.first() {
        None => Json::Null,
        Some(segment) if as_index(segment).is_some() => Json::Array(Vec::new()),
        Some(_) => Json::Object(Map::new()),
    }
}

fn as_index(segment: &Json) -> Option<usize> {
    match segment {
        Json::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Json::Number(number) => number.as_u64().and_then(|index| usize::try_from(index).ok()),
        _ => None,
    }
}

fn text_of(path: &[Json]) -> String {
    python_repr(&Json::from(path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Writes `"V"`.
    fn insert_into(mut root: Json, path: Json) -> Result<Json, PathError> {
        let Json::Array(path) = path else { panic!("a path is a list") };
        insert(root.as_object_mut().unwrap(), &path, json!("V")).map(|()| root)
    }

    #[track_caller]
    fn check(root: Json, path: Json, expect: Json) {
        assert_eq!(insert_into(root, path), Ok(expect));
    }

    #[track_caller]
    fn check_error(root: Json, path: Json, class_name: &str, expect: &str) {
        let error = insert_into(root, path).unwrap_err();
        assert_eq!((error.class_name(), error.to_string().as_str()), (class_name, expect));
    }

    #[test]
    fn parents_are_made() {
        check(json!({}), json!(["a", "b"]), json!({"a": {"b": "V"}}));
        check(json!({"a": 1}), json!(["a"]), json!({"a": "V"}));
        check(json!({"a": {}}), json!(["a", "5"]), json!({"a": {"5": "V"}}));
        check(json!({}), json!(["*", ""]), json!({"*": {"": "V"}}));
    }

    #[test]
    fn numbers_make_lists_and_lists_grow() {
        check(json!({}), json!(["a", "2"]), json!({"a": [null, null, "V"]}));
        check(json!({}), json!(["a", 1]), json!({"a": [null, "V"]}));
        check(json!({}), json!(["a", "1", "0", "b"]), json!({"a": [null, [{"b": "V"}]]}));
        check(json!({"a": [1]}), json!(["a", "2"]), json!({"a": [1, null, "V"]}));
        check(json!({"a": [1, 2]}), json!(["a", "0"]), json!({"a": ["V", 2]}));
        check(json!({"a": [{}]}), json!(["a", "0", "b"]), json!({"a": [{"b": "V"}]}));
    }

    #[test]
    fn values_are_not_entered() {
        check_error(json!({"a": 1}), json!(["a", "b"]), "PathNotFound", "Path: ['a', 'b'][0]");
        check_error(json!({"a": "s"}), json!(["a", "0"]), "PathNotFound", "Path: ['a', '0'][0]");
        check_error(json!({"a": null}), json!(["a", "b"]), "PathNotFound", "Path: ['a', 'b'][0]");
        check_error(
            json!({"a": [null]}),
            json!(["a", "0", "b"]),
            "PathNotFound",
            "Path: ['a', '0', 'b'][1]",
        );
    }

    #[test]
    fn lists_are_entered_by_numbers() {
        for segment in ["x", "-1"] {
            check_error(
                json!({"a": [1]}),
                json!(["a", segment]),
                "TypeError",
                &format!("list indices must be integers or slices, not str: ['a', '{segment}'][1]"),
            );
        }
    }
}
