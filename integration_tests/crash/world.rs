//! An API whose content is known, and which of it a state leaves to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::computed_api::{Asked, Way};

/// The streams of the manifest.
pub(crate) const STREAMS: [&str; 11] = [
    "plain",
    "listed",
    "plain_children",
    "events",
    "filed",
    "counters",
    "listed_events",
    "children",
    "grown",
    "nested",
    "shared",
];

/// The last moments of two days: what there is on the first, and what on the second.
pub(crate) const ENDS: [i64; 2] = [START + 12 * HOUR, START + 24 * HOUR];

/// Where all cursors start, as the manifest says.
const START: i64 = 1_700_000_000;
const HOUR: i64 = 3600;
/// The lookback of `events`.
const LOOKBACK: i64 = 2 * HOUR;
const LETTERS: [&str; 5] = ["a", "b", "c", "d", "e"];
pub(crate) const PAGE_SIZE: usize = 20;

/// Answers requests for the records of lists, of which a request can want some only.
///
/// The path begins with how long the texts in records are.
#[derive(Debug, Default)]
pub(super) struct Api {
    n_asked: AtomicU64,
}

impl Api {
    pub(super) fn answer(&self, asked: &Asked) -> (u16, Value) {
        self.wait();
        let path: Vec<_> = asked.path.iter().map(String::as_str).collect();
        let page = asked.number("page").map_or(0, |page| usize::try_from(page).unwrap());
        let records = wanted(asked, &path[1..], path[0].parse().unwrap()).into_iter();
        (200, records.skip(page * PAGE_SIZE).take(PAGE_SIZE).collect())
    }

    /// Some answers take longer, so that slices end in another order than they began.
    #[expect(clippy::disallowed_methods, reason = "how long the API takes is its own affair")]
    fn wait(&self) {
        let n_asked = self.n_asked.fetch_add(1, Ordering::Relaxed);
        if chance(&n_asked.to_string()).is_multiple_of(4) {
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A way that is often broken, and now and then for a while.
#[derive(Debug, Default)]
pub(super) struct Weather {
    n_asked: AtomicU64,
}

impl Weather {
    /// What becomes of the next answer.
    pub(super) fn way(&self) -> Way {
        let n_asked = self.n_asked.fetch_add(1, Ordering::Relaxed);
        if n_asked % 200 < 8 {
            return Way::Status(503);
        }
        match chance(&n_asked.to_string()) % 40 {
            0 => Way::Reset,
            1 => Way::Closed,
            2 => Way::Half,
            3 | 4 => Way::Slow,
            5 => Way::Status(429),
            6 => Way::Status(500),
            _ => Way::Open,
        }
    }
}

/// The records of a list that are asked for, with texts so long.
pub(crate) fn wanted(asked: &Asked, list: &[&str], n_chars: usize) -> Vec<Value> {
    let text = "x".repeat(n_chars);
    let is_wanted = |record: &Value| {
        asked.number("from").is_none_or(|from| filed_at(record) >= from)
            && asked.number("to").is_none_or(|to| filed_at(record) <= to)
            && asked.number("since").is_none_or(|since| record["n"].as_i64() >= Some(since))
    };
    let with_text = |mut record: Value| {
        record["text"] = text.as_str().into();
        record
    };
    content(list).into_iter().filter(is_wanted).map(with_text).collect()
}

/// The records of a list, in no order of time. Each has a `key` that no other record has.
fn content(path: &[&str]) -> Vec<Value> {
    static KNOWN: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::new(BTreeMap::new());
    let name = path.join("/");
    KNOWN.lock().unwrap().entry(name).or_insert_with_key(|name| compute(path, name)).clone()
}

fn compute(path: &[&str], name: &str) -> Vec<Value> {
    let n_records = match path[0] {
        "plain" | "events" | "filed" => 150,
        "counters" => 50,
        "listed" => 30,
        "parents" => 16,
        "children" => chance(name) % 8,
        "grandchildren" => chance(name) % 3,
        _ => 0,
    };
    let record = |n: u64| {
        let key = format!("{name}/{n}");
        json!({
            "key": key,
            "id": format!("{}-{n}", path[path.len() - 1]),
            "at": START + i64::try_from(chance(&key) % (24 * 3600)).unwrap(),
            "n": n,
        })
    };
    (0..n_records).map(record).collect()
}

/// A number that looks like chance, and is always the same for the same text.
pub(crate) fn chance(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        let mixed = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        mixed ^ (mixed >> 29)
    })
}

/// The moment that the API finds a record by; some know themselves by a later one.
fn filed_at(record: &Value) -> i64 {
    let at = record["at"].as_i64().unwrap();
    if record["key"].as_str().unwrap().starts_with("filed") { at - 5 * HOUR } else { at }
}

fn id(record: &Value) -> &str {
    record["id"].as_str().unwrap()
}

/// What is known of one read before it starts.
pub(crate) struct World {
    /// The last moment that is read.
    pub(crate) end: i64,
}

impl World {
    /// The keys of the records of `stream` that a read has to print that starts from `state`.
    pub(crate) fn left_by(&self, state: &Value, stream: &str) -> BTreeSet<String> {
        let records: Vec<_> = match stream {
            "plain" => content(&["plain"]),
            "listed" => LETTERS.iter().flat_map(|letter| content(&["listed", letter])).collect(),
            "plain_children" => {
                let parents = self.since(START, &["parents"]).into_iter();
                parents.flat_map(|parent| content(&["children", id(&parent)])).collect()
            }
            "events" => {
                let since = moment(&state["at"]).map_or(START, |at| at - LOOKBACK);
                self.since(since, &["events"])
            }
            "filed" => self.since(moment(&state["at"]).unwrap_or(START), &["filed"]),
            "counters" => {
                let since = state["n"].as_i64();
                let records = content(&["counters"]).into_iter();
                records.filter(|record| record["n"].as_i64() >= since).collect()
            }
            "listed_events" => {
                let of_letter = |letter: &&str| {
                    self.since(start(state, &json!({"letter": letter})), &["listed", letter])
                };
                LETTERS.iter().flat_map(of_letter).collect()
            }
            "children" => self.children(state, &self.since(START, &["parents"])),
            "grown" | "shared" => self.children(state, &self.changed_parents(state)),
            "nested" => {
                let parent_state = &state["parent_state"]["grown"];
                let children = self.children(parent_state, &self.changed_parents(parent_state));
                let grandchildren = |child: &Value| {
                    let partition = json!({"child_id": child["id"], "parent_slice": {
                        "parent_id": child["key"].as_str().unwrap().split('/').nth(1),
                        "parent_slice": {},
                    }});
                    self.since(start(state, &partition), &["grandchildren", id(child)])
                };
                children.iter().flat_map(grandchildren).collect()
            }
            _ => panic!("there is no stream {stream}"),
        };
        records.iter().map(|record| record["key"].as_str().unwrap().to_owned()).collect()
    }

    /// The records of a list from a moment on.
    fn since(&self, start: i64, path: &[&str]) -> Vec<Value> {
        let mut records = content(path);
        records.retain(|record| (start.max(START)..=self.end).contains(&filed_at(record)));
        records
    }

    fn changed_parents(&self, state: &Value) -> Vec<Value> {
        let reached = moment(&state["parent_state"]["parents"]["at"]);
        self.since(reached.unwrap_or(START), &["parents"])
    }

    fn children(&self, state: &Value, parents: &[Value]) -> Vec<Value> {
        let of_parent = |parent: &Value| {
            let partition = json!({"parent_id": parent["id"], "parent_slice": {}});
            self.since(start(state, &partition), &["children", id(parent)])
        };
        parents.iter().flat_map(of_parent).collect()
    }
}

/// Where a partition starts: from its own state, else from that of all, else anew.
fn start(state: &Value, partition: &Value) -> i64 {
    let mut states = state["states"].as_array().into_iter().flatten();
    let own = states.find(|own| own["partition"] == *partition);
    let own = own.and_then(|own| moment(&own["cursor"]["at"]));
    let of_all = moment(&state["state"]["at"]);
    let lookback = state["lookback_window"].as_i64().unwrap_or(0);
    own.or(of_all.map(|at| at - lookback)).unwrap_or(START)
}

/// A moment as states hold it.
fn moment(value: &Value) -> Option<i64> {
    value.as_str().map(|text| text.parse().unwrap())
}
