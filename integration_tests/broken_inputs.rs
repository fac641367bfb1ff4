//! Broken manifests, configs, catalogs, and states: good ones, with something changed by chance.
//!
//! None may make the program panic, hang, or print what is no message; and when it refuses one,
//! it has to say why. One change in three is to
//! the text, the others to what it says. `BROKEN_INPUTS` is how many of each kind are tried, `BROKEN_SEED` where
//! chance begins; what the program says is printed with `-- --nocapture`.

use std::fmt::Debug;
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, iter, thread};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::binary::{Answer, answer, command};

/// Of each kind, unless `BROKEN_INPUTS` says otherwise.
const N_INPUTS: usize = 100;
/// The connectors that are broken: one by days with a key, and one with parents and pages.
const EXAMPLES: [&str; 2] = ["exchange-rates", "github-issues"];
const KINDS: [&str; 4] = ["manifest.yaml", "config.json", "catalog.json", "state.json"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn setting<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// The good files of an example, in the order of `KINDS`.
fn good(example: &str) -> [String; 4] {
    let file = |name: &str| fs::read_to_string(root().join("manifests").join(example).join(name));
    let messages = |command: &str| {
        let path = format!("integration_tests/examples/{example}/{command}.jsonl");
        let text = fs::read_to_string(root().join(path)).unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines
    };
    let discovered = messages("discover");
    let catalog = discovered.iter().find(|message| message["type"] == "CATALOG").unwrap();
    let streams = catalog["catalog"]["streams"].as_array().unwrap().iter().map(|stream| {
        let mode = stream["supported_sync_modes"].as_array().unwrap().last().unwrap();
        json!({"stream": stream, "sync_mode": mode, "destination_sync_mode": "append"})
    });
    let catalog = json!({ "streams": streams.collect::<Vec<_>>() });
    let read = messages("read");
    let states = read.iter().filter(|message| message["type"] == "STATE");
    let states: Value = states.map(|message| message["state"].clone()).collect();
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let [manifest, config] = ["manifest.yaml", "config.json"].map(|name| file(name).unwrap());
    [manifest, config, pretty(&catalog), pretty(&states)]
}

/// `text` with one to three changes.
fn broken(text: &str, chance: &mut StdRng) -> String {
    const ODD: [&str; 14] =
        ["{", "}", "[", "]", ":", "- ", "'", "\"", "{{ ", " }}", "\t", "null", "1e999", "&a *a"];
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..chance.random_range(1..=3) {
        if lines.is_empty() {
            break;
        }
        let idx = chance.random_range(0..lines.len());
        let other = chance.random_range(0..lines.len());
        let line = &mut lines[idx];
        let at = chance.random_range(0..=line.chars().count());
        let at = line.char_indices().nth(at).map_or(line.len(), |(at, _)| at);
        match chance.random_range(0..9) {
            0 => drop(lines.remove(idx)),
            1 => lines.swap(idx, other),
            2 => line.insert_str(0, "  "),
            3 => *line = line.trim_start().to_owned(),
            4 => line.insert_str(at, ODD.choose(chance).unwrap()),
            5 => line.truncate(at),
            6 => lines.truncate(idx),
            7 => {
                // Another value under the same key.
                let odd = ["-1", "[]", "{}", "true", "\"x\"", "18446744073709551616", "\u{feff}"];
                let key = line.split_inclusive(": ").next().unwrap_or_default().to_owned();
                *line = key + odd.choose(chance).unwrap();
            }
            _ => {
                let copy = lines[other].clone();
                lines.insert(idx, copy);
            }
        }
    }
    lines.join("\n")
}

/// The tree of `text` with one value changed, left out, or under another name.
fn bent(text: &str, chance: &mut StdRng) -> String {
    let mut tree: Value = serde_yaml::from_str(text).unwrap();
    bend(&mut tree, chance);
    tree.to_string()
}

fn bend(node: &mut Value, chance: &mut StdRng) {
    let is_here = chance.random_range(0..6) == 0;
    match node {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(chance.random_range(0..fields.len())).unwrap().clone();
            match chance.random_range(0..20) {
                0 => drop(fields.shift_remove(&key)),
                1 => {
                    let value = fields.shift_remove(&key).unwrap();
                    fields.insert(format!("{key}_"), value);
                }
                _ if is_here => fields[&key] = odd_value(chance),
                _ => bend(&mut fields[&key], chance),
            }
        }
        Value::Array(items) if !items.is_empty() && !is_here => {
            let idx = chance.random_range(0..items.len());
            bend(&mut items[idx], chance);
        }
        other => *other = odd_value(chance),
    }
}

fn odd_value(chance: &mut StdRng) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("{{ config['no'] }}"),
        json!("{{ 1 / 0 }}"),
        json!("{{ "),
        json!("9999-99-99"),
        json!("P1000000000Y"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"a": {"type": "X"}}),
        json!({"type": "CustomRetriever"}),
        json!("\u{0}\u{1f600}"),
        json!("#/definitions/no"),
    ];
    values.choose(chance).unwrap().clone()
}

/// How the program takes the broken input `number`: what it says when it refuses it, or what is
/// wrong with that.
fn taken(number: usize, seed: u64) -> Result<Option<String>, String> {
    let (kind, example) = (number % KINDS.len(), EXAMPLES[number / KINDS.len() % EXAMPLES.len()]);
    let mut chance = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
    let folder = tempfile::tempdir().unwrap();
    for (idx, (name, text)) in KINDS.iter().zip(good(example)).enumerate() {
        let text = match number / 8 % 3 {
            _ if idx != kind => text,
            0 => broken(&text, &mut chance),
            _ => bent(&text, &mut chance),
        };
        fs::write(folder.path().join(name), text).unwrap();
    }
    let cassette = root().join("manifests").join(example).join("cassette.jsonl");
    let mut program = command();
    program.current_dir(folder.path()).args(["read", "--manifest-path", "manifest.yaml"]);
    program.args(["--config", "config.json", "--catalog", "catalog.json"]);
    program.args(["--state", "state.json", "--replay"]).arg(&cassette);
    let Answer { code, stdout, stderr } = answer(&mut program, b"");
    let what = format!("broken input {number}, {example}'s {}", KINDS[kind]);
    let mut reason = None;
    for line in stdout.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            return Err(format!("{what}: no message: {line}"));
        };
        if message["trace"]["type"] == "ERROR" {
            let error = &message["trace"]["error"];
            reason = Some(format!("{} | {}", error["message"], error["internal_message"]));
        }
    }
    match (code, reason) {
        (0, _) => Ok(None),
        (1, Some(reason)) if reason.len() > 20 => Ok(Some(format!("{what}: {reason}"))),
        (_, reason) => Err(format!("{what}: ends with {code}, {reason:?}, {stderr}")),
    }
}

#[test]
fn every_broken_input_is_read_or_refused_with_a_reason() {
    let n_inputs = setting("BROKEN_INPUTS").unwrap_or(N_INPUTS) * KINDS.len();
    let seed = setting("BROKEN_SEED").unwrap_or(7);
    let next = AtomicUsize::new(0);
    let work = || {
        let numbers = iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        let numbers = numbers.take_while(|number| *number < n_inputs);
        numbers.map(|number| taken(number, seed)).collect::<Vec<_>>()
    };
    let taken: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(taken.len(), n_inputs);
    for said in taken.iter().flatten().flatten() {
        println!("{said}");
    }
    let faults: Vec<_> = taken.into_iter().filter_map(Result::err).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
