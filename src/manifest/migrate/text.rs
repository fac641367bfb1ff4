//! What has to be edited in the text of a manifest so that its requesters are migrated.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::super::finding::{Finding, Findings};
use super::super::node::{Node, NodeMap, Span};
use super::super::path::Path;
use super::super::source::Source;
use super::super::yaml::quote;
use super::apply::{body_type, joined};
use super::{JoinUrl, Migrated};

/// A field as it is written, with those around it.
struct Field {
    /// The number of the mapping that it is in.
    mapping: usize,
    /// Its place in the mapping.
    idx: usize,
}

/// A mapping as it is written.
struct Mapping {
    /// The places of keys and values, in order.
    fields: Vec<(Span, Span)>,
    /// Whether it is written in braces.
    is_flow: bool,
    /// Whether it stands for another mapping with changes.
    is_derived: bool,
}

/// What is to be done to one field.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Action {
    /// Nothing may be left of it under its name, but what is done elsewhere is fine too.
    Give,
    Rename(&'static str),
    Set(String),
    Remove,
    Wrap(&'static str),
}

/// What is to be done for one requester: actions by the places of keys, in bytes.
type Plan = Vec<(u32, Action)>;

/// Edits the text; `written` is what was read of it, `root` what it comes to.
pub(super) fn migrate(source: &Source, written: &Node, root: &Node, join: JoinUrl) -> Migrated {
    let mut text = Text { source: &source.text, mappings: Vec::new(), fields: HashMap::new() };
    text.index(written);
    let mut notes = Findings::default();
    let mut plans = Vec::new();
    each_requester(
        root,
        &Path::ROOT,
        &mut |node, requester, path| match text.plan(requester, join) {
            Ok(plan) => plans.push((plan, node.clone(), path.to_string())),
            Err((plan, reason)) => {
                notes.push(note(&reason, node, path));
                plans.push((plan, node.clone(), path.to_string()));
            }
        },
    );
    let actions = loop {
        let (actions, conflicts) = merge(plans.iter().map(|(plan, ..)| plan));
        if conflicts.is_empty() {
            break actions;
        }
        let is_in_conflict = |plan: &Plan| plan.iter().any(|(place, _)| conflicts.contains(place));
        plans.retain(|(plan, node, path)| {
            let stays = is_in_conflict(plan);
            if stays {
                let reason = "others use what it refers to in another way";
                notes.push(note(reason, node, &Path::printed(path)));
            }
            !stays
        });
    };
    let changes = plans.iter().filter(|(plan, ..)| !plan.is_empty());
    let places: HashSet<_> = changes.map(|(_, node, _)| node.span().map(|it| it.start)).collect();
    notes.drop_repeated();
    Migrated { text: text.edited(&actions), n_changed: places.len(), notes }
}

fn note(reason: &str, node: &Node, path: &Path<'_>) -> Finding {
    let message = format!("this requester is not migrated all through: {reason}");
    Finding::note("migrate/left", message).at(path, node)
}

/// Visits the requesters that are migrated.
fn each_requester(node: &Node, path: &Path<'_>, visit: &mut dyn FnMut(&Node, &NodeMap, &Path<'_>)) {
    for (idx, item) in node.as_seq().unwrap_or_default().iter().enumerate() {
        each_requester(item, &path.index(idx), visit);
    }
    let Some(map) = node.as_map() else { return };
    match node.type_name() {
        Some("DynamicDeclarativeStream") => return,
        Some("HttpRequester") => visit(node, map, path),
        _ => {}
    }
    for (key, value) in map.iter().filter(|(key, _)| key.as_str() != Some("$parameters")) {
        each_requester(value, &path.key(&key.name()), visit);
    }
}

/// The actions by place, and the places that several requesters want to change differently.
fn merge<'p>(plans: impl Iterator<Item = &'p Plan>) -> (HashMap<u32, Action>, HashSet<u32>) {
    let mut actions: HashMap<u32, Action> = HashMap::new();
    let mut conflicts = HashSet::new();
    for (place, action) in plans.flatten() {
        match actions.get(place) {
            None | Some(Action::Give) => drop(actions.insert(*place, action.clone())),
            Some(known) if known != action && *action != Action::Give => {
                conflicts.insert(*place);
            }
            Some(_) => {}
        }
    }
    (actions, conflicts)
}

struct Text<'a> {
    source: &'a str,
    mappings: Vec<Mapping>,
    /// Fields by the places of their keys.
    fields: HashMap<u32, Field>,
}

impl Text<'_> {
    /// Takes note of all fields, where they are written first.
    fn index(&mut self, node: &Node) {
        node.as_seq().unwrap_or_default().iter().for_each(|item| self.index(item));
        let Some(map) = node.as_map() else { return };
        let places = map.iter().map(|(key, value)| Some((key.span()?, value.span()?)));
        if let (Some(fields), Some(span)) = (places.collect::<Option<Vec<_>>>(), node.span()) {
            let mapping = self.mappings.len();
            for (idx, (key, _)) in fields.iter().enumerate() {
                self.fields.entry(key.start).or_insert(Field { mapping, idx });
            }
            self.mappings.push(Mapping {
                fields,
                is_flow: self.source[span.start as usize..].starts_with('{'),
                is_derived: map.contains("$ref") || map.contains("<<"),
            });
        }
        map.iter().for_each(|(_, value)| self.index(value));
    }

    /// What to do for one requester; with a reason, if something has to stay.
    fn plan(&self, requester: &NodeMap, join: JoinUrl) -> Result<Plan, (Plan, String)> {
        let mut plan = Vec::new();
        let mut reason = Ok(());
        let base = requester.get_entry("url_base");
        let url = base.or_else(|| requester.get_entry("url"));
        let place = |name: &str| self.place(requester, name);
        let url_place = if base.is_some() { place("url_base") } else { place("url") };
        let path = requester.get("path").and_then(Node::as_str);
        match (url, path) {
            (Some((_, url)), Some(path)) => {
                match (place("path"), url_place) {
                    (Some(path_place), Some(url_place)) => {
                        let url = url.as_str().unwrap_or_default();
                        // It was joined before, so this cannot fail.
                        let joined = joined(url, path, join).unwrap_or_default();
                        plan.extend(self.joining(path_place, url_place, base.is_some(), joined));
                    }
                    _ => reason = Err("its `path` or its URL comes from `$parameters`"),
                }
                if let (Err(_), Some(place), true) = (reason, url_place, base.is_some()) {
                    plan.push((place, Action::Rename("url")));
                }
            }
            (Some(_), None) if base.is_some() => match url_place {
                Some(place) => plan.push((place, Action::Rename("url"))),
                None => reason = Err("its `url_base` comes from `$parameters`"),
            },
            _ => {}
        }
        for key in ["request_body_json", "request_body_data"] {
            let Some(body) = requester.get(key) else { continue };
            let Some(type_name) = body_type(key, &body.to_json()) else { continue };
            match place(key).filter(|place| self.is_whole(*place)) {
                Some(place) => plan.push((place, Action::Wrap(type_name))),
                None => reason = Err("its body is written somewhere else"),
            }
        }
        reason.map_err(|reason| (plan.clone(), reason.to_owned())).map(|()| plan)
    }

    /// The actions that join a path to its URL: the field that is nearer to the requester gets both.
    fn joining(&self, path: u32, url: u32, is_base: bool, joined: String) -> Plan {
        let (path_mapping, url_mapping) = (self.fields[&path].mapping, self.fields[&url].mapping);
        let is_path_nearer = path_mapping != url_mapping && self.mappings[path_mapping].is_derived;
        if !is_path_nearer {
            return vec![(url, Action::Set(joined)), (path, Action::Remove)];
        }
        let mut plan = vec![(path, Action::Set(joined))];
        if is_base {
            plan.push((url, Action::Give));
        }
        plan
    }

    /// Where a field's key is written, unless a parameter brought it.
    fn place(&self, requester: &NodeMap, name: &str) -> Option<u32> {
        let place = |map: &NodeMap| Some(map.get_entry(name)?.0.span()?.start);
        let found = place(requester).filter(|place| self.fields.contains_key(place))?;
        let parameters = requester.get("$parameters").and_then(Node::as_map);
        (parameters.and_then(place) != Some(found)).then_some(found)
    }

    /// Whether a value stands behind its key, and not where an alias leads.
    fn is_whole(&self, place: u32) -> bool {
        let (key, value) = self.spans(place);
        let between = self.source.get(key.end as usize..value.start as usize);
        between.is_some_and(|it| it.trim_start().starts_with(':') && !it.contains('*'))
    }

    fn spans(&self, place: u32) -> (Span, Span) {
        let field = &self.fields[&place];
        self.mappings[field.mapping].fields[field.idx]
    }

    /// The text with all actions done.
    fn edited(&self, actions: &HashMap<u32, Action>) -> String {
        let edit = |(place, action): (&u32, &Action)| self.edit(*place, action);
        let mut edits: Vec<_> = actions.iter().map(edit).collect();
        edits.sort_by_key(|(range, _)| range.start);
        let mut text = String::new();
        let mut end = 0;
        for (range, replacement) in edits.into_iter().filter(|(range, _)| !range.is_empty()) {
            text.push_str(self.source.get(end..range.start).unwrap_or_default());
            text.push_str(&replacement);
            end = range.end.max(end);
        }
        text.push_str(&self.source[end..]);
        text
    }

    fn edit(&self, place: u32, action: &Action) -> (Range<usize>, String) {
        let (key, value) = self.spans(place);
        let whole = key.start as usize..value.end as usize;
        let is_flow = self.mappings[self.fields[&place].mapping].is_flow;
        match action {
            Action::Give => (key.start as usize..key.end as usize, "url".to_owned()),
            Action::Rename(name) => (key.start as usize..key.end as usize, (*name).to_owned()),
            Action::Set(url) if is_flow => (whole, format!("url: '{}'", url.replace('\'', "''"))),
            Action::Set(url) => (whole, format!("url: {}", quote(url))),
            Action::Remove => (self.removal(place), String::new()),
            Action::Wrap(type_name) => {
                let body = &self.source[key.end as usize..value.end as usize];
                let body = body.trim_start().trim_start_matches(':');
                if is_flow {
                    return (whole, format!("request_body: {{type: {type_name}, value:{body}}}"));
                }
                let indent = " ".repeat(key.column as usize + 1);
                let body = body.replace('\n', "\n  ").replace("\n  \n", "\n\n");
                let text =
                    format!("request_body:\n{indent}type: {type_name}\n{indent}value:{body}");
                (whole, text)
            }
        }
    }

    /// What goes with a field: its line, if it has one of its own.
    fn removal(&self, place: u32) -> Range<usize> {
        let field = &self.fields[&place];
        let mapping = &self.mappings[field.mapping];
        let (key, value) = mapping.fields[field.idx];
        let (start, end) = (key.start as usize, value.end as usize);
        let line_start = self.source[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let is_alone = self.source[line_start..start].trim().is_empty();
        if is_alone && !mapping.is_flow {
            let line_end =
                self.source[end..].find('\n').map_or(self.source.len(), |it| end + it + 1);
            // A comment behind it stays, on a line of its own.
            let rest = self.source[end..line_end].trim_start();
            let is_commented = rest.starts_with('#');
            return if is_commented { start..line_end - rest.len() } else { line_start..line_end };
        }
        let next = mapping.fields.get(field.idx + 1);
        let previous = field.idx.checked_sub(1).map(|idx| mapping.fields[idx]);
        match (next, previous) {
            (Some((next, _)), _) => start..next.start as usize,
            (None, Some((_, previous))) => previous.end as usize..end,
            (None, None) => start..end,
        }
    }
}
