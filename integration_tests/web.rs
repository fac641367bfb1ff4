//! The pages that the binary carries are those of the sources beside them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What the build is made of; `web/inputs.ts` hashes the same.
const INPUTS: [&str; 6] =
    ["index.html", "inputs.ts", "package-lock.json", "src", "tsconfig.json", "vite.config.ts"];

fn files_of(path: PathBuf) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(&path) else { return vec![path] };
    let is_input = |path: &PathBuf| !path.to_string_lossy().ends_with(".test.ts");
    entries.map(|entry| entry.unwrap().path()).filter(is_input).flat_map(files_of).collect()
}

#[test]
fn committed_pages_are_built_from_the_sources() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let files = INPUTS.into_iter().flat_map(|input| files_of(web.join(input)));
    let name = |file: &PathBuf| file.strip_prefix(&web).unwrap().to_string_lossy().into_owned();
    let mut files: Vec<_> = files.map(|file| (name(&file), file)).collect();
    files.sort();
    let mut hash = Sha256::new();
    for (name, file) in files {
        hash.update(name);
        hash.update([0]);
        hash.update(fs::read(file).unwrap());
        hash.update([0]);
    }
    let found = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let built = fs::read_to_string(web.join("dist/.inputs")).unwrap();
    assert_eq!(found, built.trim(), "web/dist is older than web/src: run `npm run build` in web/");
}
