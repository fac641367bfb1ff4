//! `new`: what it makes is a connector at once.

use std::fs;

use crate::binary::{Answer, run_in};

#[test]
fn a_new_connector_is_valid_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let Answer { code, stderr, .. } = run_in(folder.path(), &["new", "my-api"], b"");
    assert_eq!(code, 0, "{stderr}");
    let folder = folder.path().join("source-my-api");
    let run = |args: &str| {
        let args: Vec<_> = args.split(' ').collect();
        run_in(&folder, &args, b"")
    };
    let Answer { code, stderr, .. } = run("manifest validate manifest.yaml");
    assert_eq!((code, stderr.as_str()), (0, "manifest.yaml: nothing found\n"));
    let Answer { code, stderr, .. } = run("manifest lint --deny all manifest.yaml");
    assert_eq!((code, stderr.as_str()), (0, ""));

    let on_cassette =
        "--manifest-path manifest.yaml --config config.example.json --replay cassette.jsonl";
    let Answer { code, stdout, stderr } = run(&format!("read {on_cassette}"));
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert_eq!(stdout.matches(r#""type":"RECORD""#).count(), 3, "{stdout}");
    let Answer { code, stdout, .. } = run(&format!("check {on_cassette}"));
    assert!(code == 0 && stdout.contains(r#""status":"SUCCEEDED""#), "{stdout}");

    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let manifest: serde_yaml::Value = serde_yaml::from_str(&read("manifest.yaml")).unwrap();
    let requester = &manifest["definitions"]["base_requester"];
    assert!(requester.is_mapping(), "the Builder's forms look for what all requests share there");
    let metadata: serde_yaml::Value = serde_yaml::from_str(&read("metadata.yaml")).unwrap();
    let data = &metadata["data"];
    assert_eq!(data["dockerRepository"].as_str(), Some("airbyte/source-my-api"));
    assert_eq!(data["name"].as_str(), Some("My api"));
    assert!(read(".gitignore").contains("/secrets/"));
    for file in fs::read_dir(&folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for word in ["@NAME@", "@TITLE@", "@ID@", "@DATE@"] {
            assert!(!text.contains(word), "{word} was left: {text}");
        }
    }
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("source-x")).unwrap();
    for name in ["x", "source-x"] {
        let Answer { code, stderr, .. } = run_in(folder.path(), &["new", name], b"");
        let expect = "error: source-x is there already, and stays as it is\n";
        assert_eq!((code, stderr.as_str()), (1, expect));
    }
    let Answer { code, stderr, .. } = run_in(folder.path(), &["new", "../x"], b"");
    assert!(code == 1 && stderr.contains("is no name of a connector"), "{stderr}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
