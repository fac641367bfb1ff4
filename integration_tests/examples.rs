//! Every example connector, run on its cassette: the same bytes every time, and those of
//! `examples/<name>/<command>.jsonl`. `UPDATE_EXPECTED=1` writes these files anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binary::{Answer, answer, command};

const COMMANDS: [&str; 4] = ["spec", "check", "discover", "read"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folders of all examples, by name.
fn examples() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(root().join("manifests")).unwrap();
    let mut folders: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    folders.sort();
    folders
}

/// Adds to `program` the words of a command on the example in `folder`.
fn on_cassette<'p>(program: &'p mut Command, name: &str, folder: &Path) -> &'p mut Command {
    program.current_dir(folder).args([name, "--manifest-path", "manifest.yaml"]);
    if name != "spec" {
        program.args(["--config", "config.json", "--replay", "cassette.jsonl"]);
    }
    program
}

/// The lines of `printed` that are not as expected, the first of them with its number.
fn difference(printed: &str, expected: &str) -> Option<String> {
    let mut pairs = printed.lines().zip(expected.lines()).enumerate();
    match pairs.find(|(_, (printed, expected))| printed != expected) {
        Some((idx, (printed, expected))) => {
            Some(format!("line {}\n  printed:  {printed}\n  expected: {expected}", idx + 1))
        }
        None if printed == expected => None,
        None => Some(format!(
            "{} lines were printed, {} expected",
            printed.lines().count(),
            expected.lines().count()
        )),
    }
}

#[test]
fn every_example_prints_what_is_expected() {
    let mut faults = Vec::new();
    for (example, folder) in examples() {
        for name in COMMANDS {
            let Answer { code, stdout, stderr } =
                answer(on_cassette(&mut command(), name, &folder), b"");
            if (code, stderr.as_str()) != (0, "") {
                faults.push(format!("{example} {name}: exit code {code}, {stderr}"));
            }
            let path = root().join(format!("integration_tests/examples/{example}/{name}.jsonl"));
            if std::env::var_os("UPDATE_EXPECTED").is_some() {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, &stdout).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if let Some(difference) = difference(&stdout, &expected) {
                faults.push(format!("{example} {name}: {difference}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A name space without a network has no way out, so that no request can be made unnoticed.
#[cfg(target_os = "linux")]
#[test]
fn a_replay_needs_no_network() {
    let unshare = |program: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--net", program]);
        unshare
    };
    if !unshare("true").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: this machine does not let a process leave the network (unshare)");
        return;
    }
    for (example, folder) in examples() {
        for name in ["check", "discover", "read"] {
            let mut program = unshare(env!("CARGO_BIN_EXE_source-declarative-manifest"));
            let inside = answer(on_cassette(&mut program, name, &folder), b"");
            let outside = answer(on_cassette(&mut command(), name, &folder), b"");
            assert_eq!(inside.code, 0, "{example} {name}: {}", inside.stderr);
            assert_eq!(inside.stdout, outside.stdout, "{example} {name}");
        }
    }
}
