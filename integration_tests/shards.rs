//! Reads that are shared out: the shards' records together, and their states merged, are those of
//! one read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{Answer, answer, command};

const COUNTS: [u32; 3] = [1, 2, 5];

/// A connector, and where its answers come from.
struct Connection {
    manifest: PathBuf,
    config: PathBuf,
    cassette: PathBuf,
}

/// What a read, or all shards of one, came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// In an order of their own.
    records: Vec<String>,
    states: Value,
}

impl Connection {
    fn example(name: &str) -> Self {
        let folder = root().join("manifests").join(name);
        let file = |name| folder.join(name);
        Self {
            manifest: file("manifest.yaml"),
            config: file("config.json"),
            cassette: file("cassette.jsonl"),
        }
    }

    /// Reads one shard, or without one all, and keeps the output in a file.
    #[track_caller]
    fn read(&self, shard: Option<&str>, state: Option<&Path>, output: &Path) -> Answer {
        let mut read = command();
        read.arg("read").arg("--manifest-path").arg(&self.manifest);
        read.arg("--config").arg(&self.config).arg("--replay").arg(&self.cassette);
        read.args(shard.iter().flat_map(|shard| ["--shard", shard]));
        read.args(state.iter().flat_map(|state| [Path::new("--state"), state]));
        let answer = answer(&mut read, b"");
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{shard:?}: {}", answer.stdout);
        fs::write(output, &answer.stdout).unwrap();
        answer
    }

    /// Reads all shards of `count`, or without a count all at once; the state is kept in `folder`.
    #[track_caller]
    fn outcome(&self, count: Option<u32>, state: Option<&Path>, folder: &Path) -> Outcome {
        let mut records = Vec::new();
        let mut outputs = Vec::new();
        for index in 0..count.unwrap_or(1) {
            let shard = count.map(|count| format!("{index}/{count}"));
            let output = folder.join(format!("shard-{index}.jsonl"));
            records.extend(records_of(&self.read(shard.as_deref(), state, &output).stdout));
            outputs.push(output);
        }
        records.sort();
        let merged = merge(&outputs);
        assert_eq!((merged.code, merged.stderr.as_str()), (0, ""));
        fs::write(folder.join("state.json"), &merged.stdout).unwrap();
        Outcome { records, states: in_order(&merged.stdout) }
    }

    /// Compares shards with one read, from the beginning and from the state that comes of it.
    #[track_caller]
    fn check(&self) -> [Outcome; 2] {
        let [first, second] = [(); 2].map(|()| TempDir::new().unwrap());
        let expected = self.outcome(None, None, first.path());
        assert!(!expected.records.is_empty() && !expected.states.as_array().unwrap().is_empty());
        let state = first.path().join("state.json");
        let expected_next = self.outcome(None, Some(&state), second.path());
        for count in COUNTS {
            let shards = TempDir::new().unwrap();
            assert_eq!(self.outcome(Some(count), None, shards.path()), expected, "{count} shards");
            let (state, next) = (shards.path().join("state.json"), TempDir::new().unwrap());
            let found = self.outcome(Some(count), Some(&state), next.path());
            assert_eq!(found, expected_next, "{count} shards, again");
        }
        [expected, expected_next]
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn messages(output: &str) -> impl Iterator<Item = Value> {
    output.lines().map(|line| serde_json::from_str(line).unwrap())
}

/// The records of an output, without the time of their printing.
fn records_of(output: &str) -> Vec<String> {
    let records = messages(output).filter(|message| message["type"] == "RECORD");
    records.map(|it| json!([it["record"]["stream"], it["record"]["data"]]).to_string()).collect()
}

/// The streams of an output with the statuses that they went through.
fn statuses_of(output: &str, stream: &str) -> Vec<String> {
    let statuses = messages(output).map(|it| it["trace"]["stream_status"].clone());
    let of_stream = statuses.filter(|it| it["stream_descriptor"]["name"] == stream);
    of_stream.map(|status| status["status"].as_str().unwrap().to_owned()).collect()
}

fn merge(outputs: &[PathBuf]) -> Answer {
    answer(command().args(["state", "merge"]).args(outputs), b"")
}

/// States whose partitions stand in an order of their own: that of one read depends on when each
/// was found.
fn in_order(states: &str) -> Value {
    let mut states: Value = serde_json::from_str(states).unwrap();
    for state in states.as_array_mut().unwrap() {
        let partitions = &mut state["stream"]["stream_state"];
        if let Some(partitions) = partitions.get_mut("states").and_then(Value::as_array_mut) {
            partitions.sort_by_key(|state| state["partition"].to_string());
        }
    }
    states
}

/// The manifest of this test, whose API has twelve projects with three months of tasks each.
fn connection(folder: &Path) -> Connection {
    let mut lines = vec![json!({"cassette": 1, "clock": "2024-03-31T12:00:00Z", "seed": 7})];
    let mut answer_to = |request: &str, body: &Value| {
        let (method, path) = request.split_once(' ').unwrap_or(("GET", request));
        lines.push(json!({
            "time": "2024-03-31T12:00:00Z",
            "request": {"method": method, "url": format!("https://api.example.com{path}"), "headers": []},
            "response": {
                "status": 200,
                "headers": [["Content-Type", "application/json"]],
                "body": {"text": body.to_string()},
            },
        }));
    };
    let record = |id: u32, updated_at: &str| json!({"id": id, "updated_at": updated_at});
    let projects = (1..=12).map(|id| record(id, &format!("2024-02-{id:02}T00:00:00Z")));
    answer_to("/projects", &projects.collect());
    for project in 1..=12 {
        for month in 1..=3 {
            let day = (project * month) % 28 + 1;
            let task = record(project * 10 + month, &format!("2024-{month:02}-{day:02}T01:02:03Z"));
            // The last project has no tasks yet.
            let tasks = if project == 12 { json!([]) } else { json!([task]) };
            answer_to(&format!("/tasks/{project}/2024-{month:02}"), &tasks);
        }
    }
    for item in 1..=4 {
        for shop in ["a", "b"] {
            answer_to(&format!("/prices/{item}/{shop}"), &json!([{"id": item, "shop": shop}]));
        }
    }
    for (idx, sites) in ["1-2", "3-4", "5-6", "7"].iter().enumerate() {
        let visit = record(100, &format!("2024-03-{:02}T00:00:00Z", 10 + idx));
        answer_to(&format!("/visits/{sites}"), &json!([visit]));
    }
    for project in (1..=12).map(|project| project.to_string()).chain(["archive".to_owned()]) {
        answer_to(&format!("/labels/{project}"), &json!([{"label": project}]));
    }
    for place in 1..=3 {
        let target = format!("/download/{place}");
        let job = json!({"state": "done", "urls": [format!("https://api.example.com{target}")]});
        answer_to(&format!("POST /reports/{place}"), &json!({"id": place}));
        answer_to(&format!("/jobs/{place}"), &job);
        answer_to(&target, &json!([{"id": place}]));
    }
    for region in 1..=4 {
        let account = record(region, &format!("2024-03-{region:02}T00:00:00Z"));
        answer_to(&format!("/accounts/{region}"), &json!([account]));
    }
    for projects in ["1-2-3-4-5", "6-7-8-9-10", "11-12"] {
        answer_to(&format!("/members/{projects}"), &json!([record(7, "2024-03-05T00:00:00Z")]));
    }
    let text = lines.iter().fold(String::new(), |text, line| text + &line.to_string() + "\n");
    let (cassette, config) = (folder.join("cassette.jsonl"), folder.join("config.json"));
    fs::write(&cassette, text).unwrap();
    fs::write(&config, "{}").unwrap();
    Connection { manifest: root().join("integration_tests/shards/manifest.yaml"), config, cassette }
}

#[test]
fn shards_of_the_examples_are_the_whole() {
    for name in ["exchange-rates", "github-issues", "hacker-news", "openweather", "pokeapi"] {
        Connection::example(name).check();
    }
}

#[test]
fn shards_with_cursors_for_partitions_are_the_whole() {
    let folder = TempDir::new().unwrap();
    let [_, next] = connection(folder.path()).check();
    let tasks = next
        .states
        .as_array()
        .unwrap()
        .iter()
        .find(|state| state["stream"]["stream_descriptor"]["name"] == "tasks");
    let tasks = &tasks.unwrap()["stream"]["stream_state"];
    assert_eq!(tasks["states"].as_array().unwrap().len(), 12);
    assert_eq!(tasks["state"], json!({"updated_at": "2024-03-28T01:02:03Z"}));
    assert_eq!(tasks["parent_state"], json!({"projects": {"updated_at": "2024-02-12T00:00:00Z"}}));
}

#[test]
fn every_shard_has_its_share() {
    let folder = TempDir::new().unwrap();
    let connection = connection(folder.path());
    for index in 0..5 {
        let shard = format!("{index}/5");
        let output = connection.read(Some(&shard), None, &folder.path().join("out")).stdout;
        let records = records_of(&output);
        let n_records = |stream: &str| {
            records.iter().filter(|record| record.contains(&format!("\"{stream}\""))).count()
        };
        assert!((1..33).contains(&n_records("tasks")), "shard {shard}: {records:?}");
        let expected = if index == 0 { [12, 3] } else { [0, 0] };
        assert_eq!([n_records("projects"), n_records("members")], expected, "shard {shard}");
        let expected: &[_] =
            if index == 0 { &["STARTED", "RUNNING", "COMPLETE"] } else { &["STARTED", "COMPLETE"] };
        assert_eq!(statuses_of(&output, "projects"), expected, "shard {shard}");
        let log = "Stream projects has no partitions that last";
        assert_eq!(output.contains(log), index > 0, "shard {shard}");
    }
}

#[test]
fn the_shard_of_a_job_comes_from_its_environment() {
    let folder = TempDir::new().unwrap();
    let Connection { manifest, config, cassette } = connection(folder.path());
    let read = |shard: &str, environment: &[(&str, &str)]| {
        let mut read = command();
        read.arg("read").arg("--manifest-path").arg(&manifest).arg("--config").arg(&config);
        read.arg("--replay")
            .arg(&cassette)
            .args(["--shard", shard])
            .envs(environment.iter().copied());
        answer(&mut read, b"")
    };
    let expected = read("1/3", &[]).stdout;
    assert!(statuses_of(&expected, "tasks").ends_with(&["COMPLETE".to_owned()]), "{expected}");
    assert_eq!(read("auto/3", &[("JOB_COMPLETION_INDEX", "1")]).stdout, expected);
    let job = [("JOB_COMPLETION_INDEX", "1"), ("SHARD_COUNT", "3")];
    assert_eq!(read("auto", &job).stdout, expected);
    for (shard, environment, expected) in [
        ("auto", &[][..], "`JOB_COMPLETION_INDEX` is not set"),
        ("auto", &job[..1], "`SHARD_COUNT` is not set"),
        ("3/3", &[], "there is no shard 3 of 3"),
    ] {
        let Answer { code, stdout, stderr } = read(shard, environment);
        assert_eq!((code, stdout.as_str()), (2, ""));
        assert!(stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn the_states_of_some_shards_are_not_taken_for_the_whole() {
    let folder = TempDir::new().unwrap();
    let connection = connection(folder.path());
    let file = |name: &str| folder.path().join(name);
    connection.read(Some("1/2"), None, &file("shard"));
    let merged = merge(&[file("shard")]);
    assert_eq!((merged.code, merged.stdout.as_str()), (1, ""));
    let expected = "cannot be joined: there is none of shard 0/2\n";
    assert!(merged.stderr.ends_with(expected), "{}", merged.stderr);
    let states: Vec<_> = messages(&fs::read_to_string(file("shard")).unwrap())
        .filter(|message| message["type"] == "STATE")
        .map(|message| message["state"].clone())
        .collect();
    fs::write(file("state"), json!(states).to_string()).unwrap();
    let mut read = command();
    read.arg("read").arg("--manifest-path").arg(&connection.manifest);
    read.arg("--config").arg(&connection.config).arg("--replay").arg(&connection.cassette);
    let refused = answer(read.arg("--state").arg(file("state")), b"");
    assert_eq!(refused.code, 1);
    assert!(refused.stdout.contains("is that of shard 1/2 alone"), "{}", refused.stdout);
    // The same shard goes on from it.
    connection.read(Some("1/2"), Some(&file("state")), &file("again"));
}
