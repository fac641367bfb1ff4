//! Ways into JSON, as the `dpath` library of the reference finds them.
//!
//! A path is a list of segments. A segment names a key, or an index when it
//! meets a list (`"0"`, `"-1"`), or is a pattern of keys and indexes (`"a*"`,
//! `"[ab]"`, see [`Glob`]); one segment may be `"**"`, any number of levels.
//!
//! One thing is better here: a key that is the empty text, anywhere in the
//! data, makes the library fail, and is a key like any other for us.

use std::ops::ControlFlow;

use super::error::PathError;
use super::glob::Glob;
use super::python::{python_int, write_python_repr};
use super::{Json, Map};

/// A path, ready to be followed many times.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    segments: Vec<Segment>,
    /// The segments as they were given, for errors.
    source: Json,
}

#[derive(Clone, Debug, PartialEq)]
enum Segment {
    /// A key; also an index when the text is one.
    Key(String, Option<i64>),
    /// An index only: what is a number, and no text, matches no key.
    Index(i64),
    Pattern(Glob),
    /// `*`
    Any,
    /// `**`
    AnyDepth,
    /// Something that is neither text nor number, and matches nothing.
    Nothing,
}

/// One level down.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index { index: usize, list_len: usize },
}

/// How far a path has been matched: bit `n` is set when the first `n` segments
/// are. There are several bits behind a `**` only.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Progress(u64);

/// More segments than any manifest has; one bit is left for the end of the path.
const MAX_SEGMENTS: usize = 63;

type VisitMut<'v> = &'v mut dyn FnMut(&mut Json);
type Visit<'v, 'a> = &'v mut dyn FnMut(&'a Json) -> ControlFlow<()>;

impl Path {
    /// A path of texts; a number among `segments` only ever is an index.
    pub fn new(segments: impl IntoIterator<Item = Json>) -> Result<Self, PathError> {
        let source: Vec<Json> = segments.into_iter().collect();
        if source.len() > MAX_SEGMENTS {
            return Err(PathError::TooLong);
        }
        let segments: Vec<_> = source.iter().map(Segment::new).collect();
        let path = Self { segments, source: Json::Array(source) };
        if path.segments.iter().filter(|segment| **segment == Segment::AnyDepth).count() > 1 {
            return Err(PathError::SeveralAnyDepths { path: path.to_string() });
        }
        Ok(path)
    }

    /// Whether there are no segments.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether a segment is exactly `*`.
    pub fn has_star(&self) -> bool {
        self.segments.contains(&Segment::Any)
    }

    /// Whether a segment is a pattern.
    pub fn has_globs(&self) -> bool {
        let is_glob = |segment: &Segment| {
            matches!(segment, Segment::Pattern(_) | Segment::Any | Segment::AnyDepth)
        };
        self.segments.iter().any(is_glob)
    }

    /// The keys that the path is made of, when it is made of plain keys only.
    pub fn keys(&self) -> Option<Vec<String>> {
        let key = |segment: &Segment| match segment {
            Segment::Key(key, None) => Some(key.clone()),
            _ => None,
        };
        self.segments.iter().map(key).collect()
    }

    /// The one value at this path (`dpath.get`); the empty path leads to `root` itself.
    pub fn get<'a>(&self, root: &'a Json) -> Result<Option<&'a Json>, PathError> {
        if self.is_empty() {
            return Ok(Some(root));
        }
        self.only(|visit| self.walk(root, self.start(), visit))
    }

    /// As [`Self::get`], in an object; the empty path leads nowhere.
    pub fn get_in<'a>(&self, root: &'a Map) -> Result<Option<&'a Json>, PathError> {
        self.only(|visit| self.walk_object(root, self.start(), visit))
    }

    /// All values at this path, in the order of the library (`dpath.values`).
    pub fn values<'a>(&self, root: &'a Json) -> Vec<&'a Json> {
        all(|visit| self.walk(root, self.start(), visit))
    }

    /// As [`Self::values`], in an object.
    pub fn values_in<'a>(&self, root: &'a Map) -> Vec<&'a Json> {
        all(|visit| self.walk_object(root, self.start(), visit))
    }

    /// As [`Self::get`], and leaves null where the value was.
    pub fn take(&self, root: &mut Json) -> Result<Option<Json>, PathError> {
        if self.is_empty() {
            return Ok(Some(root.take()));
        }
        if self.has_globs() {
            self.get(root)?;
        }
        Ok(self.take_values(root).pop())
    }

    /// As [`Self::values`], and leaves nulls where the values were.
    pub fn take_values(&self, root: &mut Json) -> Vec<Json> {
        if self.segments.contains(&Segment::AnyDepth) {
            // One value may lie in another, and then stays in both.
            return self.values(root).into_iter().cloned().collect();
        }
        let mut values = Vec::new();
        self.visit_mut(root, self.start(), &mut |value| values.push(value.take()));
        values
    }

    /// As [`Self::take_values`], in an object.
    pub fn take_values_in(&self, root: &mut Map) -> Vec<Json> {
        if self.segments.contains(&Segment::AnyDepth) {
            return self.values_in(root).into_iter().cloned().collect();
        }
        let mut values = Vec::new();
        self.visit_object_mut(root, self.start(), &mut |value| values.push(value.take()));
        values
    }

    /// Puts `value` in place of all that is found (`dpath.set`); gives how many there were.
    pub fn replace(&self, root: &mut Json, value: &Json) -> usize {
        let mut n_replaced = 0;
        self.visit_mut(root, self.start(), &mut |found| {
            found.clone_from(value);
            n_replaced += 1;
        });
        n_replaced
    }

    /// Removes all that is found (`dpath.delete`). An item of a list becomes
    /// null, as the others must keep their places; the last one goes.
    pub fn remove(&self, root: &mut Map) {
        self.remove_from_object(root, self.start());
    }

    /// Removes the lists that are found, and nothing else; what stands behind one moves up.
    pub fn remove_lists(&self, root: &mut Map) {
        self.remove_lists_from_object(root, self.start());
    }

    fn only<'a>(
        &self,
        walk: impl FnOnce(Visit<'_, 'a>) -> ControlFlow<()>,
    ) -> Result<Option<&'a Json>, PathError> {
        let mut found = None;
        let end = walk(&mut |value| match found.replace(value) {
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        });
        if end.is_break() {
            return Err(PathError::Ambiguous { path: self.to_string() });
        }
        Ok(found)
    }

    fn start(&self) -> Progress {
        self.with_zero_depth(0)
    }

    /// The progress `n_matched` segments make: `**` also matches no level at all.
    fn with_zero_depth(&self, n_matched: usize) -> Progress {
        let is_any_depth = self.segments.get(n_matched) == Some(&Segment::AnyDepth);
        Progress(if is_any_depth { 0b11 << n_matched } else { 1 << n_matched })
    }

    fn advance(&self, progress: Progress, step: Step<'_>) -> Progress {
        let mut next = 0;
        for (segment_idx, segment) in self.segments.iter().enumerate() {
            if progress.has(segment_idx) && segment.matches(step) {
                let n_matched = segment_idx + usize::from(*segment != Segment::AnyDepth);
                next |= self.with_zero_depth(n_matched).0;
            }
        }
        Progress(next)
    }

    fn is_end(&self, progress: Progress) -> bool {
        progress.has(self.segments.len())
    }

    fn goes_on(&self, progress: Progress) -> bool {
        progress.0 & !(1 << self.segments.len()) != 0
    }

    /// The key to look up, when no other key can match.
    fn next_key(&self, progress: Progress) -> Option<&str> {
        let segment_idx = progress.0.trailing_zeros() as usize;
        match self.segments.get(segment_idx) {
            Some(Segment::Key(key, _)) if progress.0.is_power_of_two() => Some(key),
            _ => None,
        }
    }

    fn walk<'a>(
        &self,
        node: &'a Json,
        progress: Progress,
        visit: Visit<'_, 'a>,
    ) -> ControlFlow<()> {
        match node {
            Json::Object(object) => self.walk_object(object, progress, visit),
            Json::Array(items) => {
                let list_len = items.len();
                let steps = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| (Step::Index { index, list_len }, item));
                self.walk_steps(steps, progress, visit)
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn walk_object<'a>(
        &self,
        object: &'a Map,
        progress: Progress,
        visit: Visit<'_, 'a>,
    ) -> ControlFlow<()> {
        if let Some(key) = self.next_key(progress) {
            let entry = object.get_key_value(key).map(|(key, value)| (Step::Key(key), value));
            return self.walk_steps(entry.into_iter(), progress, visit);
        }
        self.walk_steps(object.iter().map(|(key, value)| (Step::Key(key), value)), progress, visit)
    }

    /// Visits the level first, then what lies below: the order of the library.
    fn walk_steps<'a>(
        &self,
        steps: impl Iterator<Item = (Step<'a>, &'a Json)> + Clone,
        progress: Progress,
        visit: Visit<'_, 'a>,
    ) -> ControlFlow<()> {
        for (step, value) in steps.clone() {
            if self.is_end(self.advance(progress, step)) {
                visit(value)?;
            }
        }
        for (step, value) in steps {
            let next = self.advance(progress, step);
            if self.goes_on(next) {
                self.walk(value, next, visit)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Visits what is found; not again what lies below it.
    fn visit_mut(&self, node: &mut Json, progress: Progress, visit: VisitMut<'_>) {
        match node {
            Json::Object(object) => self.visit_object_mut(object, progress, visit),
            Json::Array(items) => {
                let list_len = items.len();
                for (index, item) in items.iter_mut().enumerate() {
                    let next = self.advance(progress, Step::Index { index, list_len });
                    self.arrive_mut(item, next, visit);
                }
            }
            _ => {}
        }
    }

    fn visit_object_mut(&self, object: &mut Map, progress: Progress, visit: VisitMut<'_>) {
        let advance = |key: &str| self.advance(progress, Step::Key(key));
        if let Some(key) = self.next_key(progress) {
            if let Some(value) = object.get_mut(key) {
                self.arrive_mut(value, advance(key), visit);
            }
            return;
        }
        for (key, value) in object {
            self.arrive_mut(value, advance(key), visit);
        }
    }

    fn arrive_mut(&self, value: &mut Json, progress: Progress, visit: VisitMut<'_>) {
        if self.is_end(progress) {
            visit(value);
        } else if self.goes_on(progress) {
            self.visit_mut(value, progress, visit);
        }
    }

    fn remove_from_object(&self, object: &mut Map, progress: Progress) {
        let advance = |key: &str| self.advance(progress, Step::Key(key));
        if let Some(key) = self.next_key(progress) {
            if self.is_end(advance(key)) {
                object.shift_remove(key);
            } else if let Some(value) = object.get_mut(key) {
                self.remove_below(value, advance(key));
            }
            return;
        }
        object.retain(|key, value| {
            let next = advance(key);
            if !self.is_end(next) {
                self.remove_below(value, next);
            }
            !self.is_end(next)
        });
    }

    fn remove_below(&self, node: &mut Json, progress: Progress) {
        match node {
            Json::Object(object) => self.remove_from_object(object, progress),
            Json::Array(items) => {
                let list_len = items.len();
                for index in 0..list_len {
                    let next = self.advance(progress, Step::Index { index, list_len });
                    if !self.is_end(next) {
                        self.remove_below(&mut items[index], next);
                    } else if index + 1 == list_len {
                        items.pop();
                    } else {
                        items[index] = Json::Null;
                    }
                }
            }
            _ => {}
        }
    }

    fn remove_lists_from_object(&self, object: &mut Map, progress: Progress) {
        object.retain(|key, value| self.is_no_list(value, self.advance(progress, Step::Key(key))));
    }

    /// Whether the value stays; removes the lists below it.
    fn is_no_list(&self, value: &mut Json, progress: Progress) -> bool {
        match value {
            Json::Array(_) if self.is_end(progress) => return false,
            Json::Array(items) if self.goes_on(progress) => {
                let list_len = items.len();
                let mut index = 0;
                items.retain_mut(|item| {
                    let step = Step::Index { index, list_len };
                    index += 1;
                    self.is_no_list(item, self.advance(progress, step))
                });
            }
            Json::Object(object) if self.goes_on(progress) => {
                self.remove_lists_from_object(object, progress);
            }
            _ => {}
        }
        true
    }
}

fn all<'a>(walk: impl FnOnce(Visit<'_, 'a>) -> ControlFlow<()>) -> Vec<&'a Json> {
    let mut values = Vec::new();
    // The visitor never breaks off.
    let _ = walk(&mut |value| {
        values.push(value);
        ControlFlow::Continue(())
    });
    values
}

/// The segments as a Python list: `['data', 'items']`.
impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        write_python_repr(&self.source, &mut text);
        f.write_str(&text)
    }
}

impl Progress {
    fn has(self, n_matched: usize) -> bool {
        self.0 >> n_matched & 1 == 1
    }
}

impl Segment {
    fn new(source: &Json) -> Self {
        match source {
            Json::String(text) => match text.as_str() {
                "**" => Self::AnyDepth,
                "*" => Self::Any,
                _ if Glob::is_glob(text) => Self::Pattern(Glob::new(text)),
                _ => Self::Key(text.clone(), python_int(source)),
            },
            Json::Number(_) | Json::Bool(_) => {
                python_int(source).map_or(Self::Nothing, Self::Index)
            }
            _ => Self::Nothing,
        }
    }

    fn matches(&self, step: Step<'_>) -> bool {
        match (self, step) {
            (Self::Any | Self::AnyDepth, _) => true,
            (Self::Key(own, _), Step::Key(key)) => own == key,
            (Self::Pattern(glob), Step::Key(key)) => glob.matches(key),
            (Self::Pattern(glob), Step::Index { index, .. }) => glob.matches(&index.to_string()),
            (Self::Key(_, Some(own)) | Self::Index(own), Step::Index { index, list_len }) => {
                position(*own, list_len) == Some(index)
            }
            _ => false,
        }
    }
}

/// The position an index means, which counts from the end when it is negative.
fn position(index: i64, list_len: usize) -> Option<usize> {
    let distance = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 { list_len.checked_sub(distance) } else { Some(distance) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Json {
        json!({
            "data": {"items": [{"id": 1}, {"id": 2}], "o": {"x": 1}, "5": "five"},
            "a*": "star", "a1": 1, "l": [10, 20, 30], "": 0
        })
    }

    fn path(segments: Json) -> Path {
        let Json::Array(segments) = segments else { panic!("a path is a list") };
        Path::new(segments).unwrap()
    }

    /// Values come out in order, as references, as copies taken out, and in an object.
    #[track_caller]
    fn check(segments: Json, expect: Json) {
        let Json::Array(expect) = expect else { panic!("values are a list") };
        let mut root = sample();
        let path = path(segments);
        let expected: Vec<&Json> = expect.iter().collect();
        assert_eq!(path.values(&root), expected, "values {path}");
        assert_eq!(path.values_in(root.as_object().unwrap()), expected, "values_in {path}");
        match path.get(&root) {
            Ok(found) => assert_eq!(found.as_slice(), expected, "get {path}"),
            Err(_) => assert!(expect.len() > 1, "get {path}"),
        }
        assert_eq!(path.take_values(&mut root), expect, "take_values {path}");
    }

    #[test]
    fn keys_and_indexes() {
        check(json!(["data", "o", "x"]), json!([1]));
        check(json!(["data", "5"]), json!(["five"]));
        check(json!(["data", "items", "0", "id"]), json!([1]));
        check(json!([""]), json!([0]));
        check(json!(["data", "none"]), json!([]));
        check(json!(["a1", "x"]), json!([]));
        for last in ["2", "-1", "+2", " 2 ", "0_2", "02"] {
            check(json!(["l", last]), json!([30]));
        }
        for none in ["3", "-4", "2.0", "_2", "", "x"] {
            check(json!(["l", none]), json!([]));
        }
    }

    #[test]
    fn what_is_no_text_is_an_index_only() {
        check(json!(["data", 5]), json!([]));
        check(json!(["l", -1]), json!([30]));
        check(json!(["l", 1.5]), json!([20]));
        check(json!(["l", true]), json!([20]));
        check(json!(["l", null]), json!([]));
    }

    #[test]
    fn patterns() {
        check(json!(["data", "it*"]), json!([[{"id": 1}, {"id": 2}]]));
        check(json!(["a?"]), json!(["star", 1]));
        check(json!(["a[*]"]), json!(["star"]));
        check(json!(["l", "[01]"]), json!([10, 20]));
        check(json!(["l", "*"]), json!([10, 20, 30]));
        check(json!(["data", "items", "*", "id"]), json!([1, 2]));
    }

    #[test]
    fn any_depth_finds_the_upper_levels_first() {
        check(json!(["**", "id"]), json!([1, 2]));
        check(json!(["**", "data", "items"]), json!([[{"id": 1}, {"id": 2}]]));
        check(json!(["**", "0"]), json!([{"id": 1}, 10]));
        check(
            json!(["data", "items", "**"]),
            json!([[{"id": 1}, {"id": 2}], {"id": 1}, {"id": 2}, 1, 2]),
        );
        check(json!(["l", "**"]), json!([[10, 20, 30], 10, 20, 30]));
    }

    #[test]
    fn get_wants_one_value() {
        let root = sample();
        let ambiguous = path(json!(["l", "*"])).get(&root).unwrap_err();
        assert_eq!(ambiguous.to_string(), "dpath.get() globs must match only one leaf: ['l', '*']");
        assert_eq!(path(json!([])).get(&root), Ok(Some(&root)));
        assert_eq!(path(json!([])).values(&root), Vec::<&Json>::new());
        let invalid = Path::new([json!("**"), json!("**")]).unwrap_err();
        assert_eq!(invalid.class_name(), "InvalidGlob");
    }

    #[test]
    fn a_taken_value_leaves_null() {
        let mut root = json!({"a": {"b": [1]}, "c": 2});
        assert_eq!(path(json!(["a", "b"])).take(&mut root), Ok(Some(json!([1]))));
        assert_eq!(root, json!({"a": {"b": null}, "c": 2}));
        assert_eq!(path(json!(["x"])).take(&mut root), Ok(None));
        assert!(path(json!(["*"])).take(&mut root).is_err());
        let root = root.as_object_mut().unwrap();
        assert_eq!(path(json!(["*", "b"])).take_values_in(root), [json!(null)]);
        assert_eq!(path(json!(["c"])).take_values_in(root), [json!(2)]);
        assert_eq!(path(json!(["**", "c"])).take_values_in(root), [json!(null)]);
    }

    #[test]
    fn replace_touches_only_what_is_there() {
        let mut root = json!({"a": [{"x": 1}, {"y": 1}], "x": 1});
        assert_eq!(path(json!(["a", "*", "x"])).replace(&mut root, &json!("new")), 1);
        assert_eq!(path(json!(["none"])).replace(&mut root, &json!("new")), 0);
        assert_eq!(root, json!({"a": [{"x": "new"}, {"y": 1}], "x": 1}));
    }

    #[track_caller]
    fn check_remove(segments: Json, expect: &Json) {
        let mut root = json!({"a": 1, "ab": 2, "b": {"a": 1, "c": [1, 2, 3]}, "l": [1, {"x": 1}]});
        path(segments).remove(root.as_object_mut().unwrap());
        // As texts, because the order of keys has to stay.
        assert_eq!(root.to_string(), expect.to_string());
    }

    #[test]
    fn removed_items_leave_a_hole_unless_they_are_last() {
        let rest = |c: Json| json!({"a": 1, "ab": 2, "b": {"a": 1, "c": c}, "l": [1, {"x": 1}]});
        check_remove(json!(["b", "c", "0"]), &rest(json!([null, 2, 3])));
        check_remove(json!(["b", "c", "2"]), &rest(json!([1, 2])));
        check_remove(json!(["b", "c", "-1"]), &rest(json!([1, 2])));
        check_remove(json!(["b", "c", "*"]), &rest(json!([null, null])));
        check_remove(json!(["b", "c", "[12]"]), &rest(json!([1, null])));
        check_remove(json!(["b", "x", "y"]), &rest(json!([1, 2, 3])));
    }

    #[test]
    fn removed_keys_are_gone() {
        let list = json!([1, {"x": 1}]);
        check_remove(json!(["a"]), &json!({"ab": 2, "b": {"a": 1, "c": [1, 2, 3]}, "l": list}));
        check_remove(json!(["a*"]), &json!({"b": {"a": 1, "c": [1, 2, 3]}, "l": list}));
        check_remove(json!(["**", "a"]), &json!({"ab": 2, "b": {"c": [1, 2, 3]}, "l": list}));
        check_remove(json!(["b", "**"]), &json!({"a": 1, "ab": 2, "l": list}));
        check_remove(json!(["*"]), &json!({}));
        check_remove(json!(["**"]), &json!({}));
        check_remove(
            json!(["l", "*", "x"]),
            &json!({"a": 1, "ab": 2, "b": {"a": 1, "c": [1, 2, 3]}, "l": [1, {}]}),
        );
    }

    #[test]
    fn removed_lists_leave_no_hole() {
        let mut root = json!({"a": [[1], [2], 3], "b": {"a": [1]}, "c": {"a": 1}});
        path(json!(["a", "[01]"])).remove_lists(root.as_object_mut().unwrap());
        path(json!(["*", "a"])).remove_lists(root.as_object_mut().unwrap());
        assert_eq!(root, json!({"a": [3], "b": {}, "c": {"a": 1}}));
    }
}
