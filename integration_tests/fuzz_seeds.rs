//! Replays what fuzzers begin with, and what they have found, without a fuzzer.

use std::fs;
use std::path::Path;

#[expect(unreachable_pub, reason = "the fuzzer, which is another crate, calls them too")]
#[path = "../fuzz/targets.rs"]
mod targets;

/// The targets that the fuzzer knows, by the names of their files.
fn known_to_the_fuzzer(root: &Path) -> Vec<String> {
    let files = fs::read_dir(root.join("fuzz_targets")).unwrap();
    let names = files.map(|file| file.unwrap().path().file_stem().unwrap().to_owned());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn seeds_and_past_findings_do_no_harm() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    assert_eq!(targets::TARGETS.map(|(name, _)| name).to_vec(), known_to_the_fuzzer(&root));
    for (name, target) in targets::TARGETS {
        let mut n_inputs = 0;
        for folder in ["seeds", "regressions"] {
            let Ok(inputs) = fs::read_dir(root.join(folder).join(name)) else { continue };
            for input in inputs {
                let path = input.unwrap().path();
                let bytes = fs::read(&path).unwrap();
                // The path of an input that does harm is the last that is told.
                println!("{}", path.display());
                target(&bytes);
                n_inputs += 1;
            }
        }
        assert!(n_inputs > 0, "{name} has no seeds");
    }
}
