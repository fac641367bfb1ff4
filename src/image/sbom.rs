//! What a program is made of, read out of the program itself.
//!
//! Every build carries its lists of dependencies, so that the bill of a program for another
//! machine, or of another version, is its own and not that of the program that makes the image.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::LazyLock;

use bytes::Bytes;
use regex::bytes::Regex;
use serde_json::{Value, json};

use super::digest::Digest;
use super::executable::Executable;

/// The lists of this build, between words that occur nowhere else in the program.
#[used]
static DEPENDENCIES: &str = concat!(
    "<<dependencies of source-declarative-manifest: ",
    include_str!("../../Cargo.toml"),
    "<<locked: ",
    include_str!("../../Cargo.lock"),
    "end of dependencies>>"
);
const NAME: &str = "source-declarative-manifest";

/// A bill of materials, in JSON as `CycloneDX` 1.6 has it.
#[derive(Clone, Debug)]
pub(super) struct Bill {
    pub(super) bytes: Bytes,
}

impl Bill {
    /// The bill of `program`, if it says what it is made of.
    pub(super) fn of(program: &Executable) -> Option<Self> {
        let (manifest, lock) = lists(&program.bytes)?;
        let packages = read_lock(lock);
        let digest = Digest::of(&program.bytes);
        let bill = bill(&packages, &only_for_tests(manifest), &digest)?;
        Some(Self { bytes: format!("{bill}\n").into() })
    }
}

/// The manifest and the lock file that a program carries.
fn lists(program: &[u8]) -> Option<(&str, &str)> {
    // Patterns that do not find themselves in the program.
    static MARKS: LazyLock<Option<[Regex; 3]>> = LazyLock::new(|| {
        Some([
            Regex::new("[<]<dependencies of source-declarative-manifest: ").ok()?,
            Regex::new("[<]<locked: ").ok()?,
            Regex::new("end of dependencies>[>]").ok()?,
        ])
    });
    let [start, middle, end] = MARKS.as_ref()?;
    let (_, rest) = split(program, start)?;
    let (manifest, rest) = split(rest, middle)?;
    let (lock, _) = split(rest, end)?;
    Some((std::str::from_utf8(manifest).ok()?, std::str::from_utf8(lock).ok()?))
}

/// What is before and behind a mark.
fn split<'b>(bytes: &'b [u8], mark: &Regex) -> Option<(&'b [u8], &'b [u8])> {
    let found = mark.find(bytes)?;
    Some((&bytes[..found.start()], &bytes[found.end()..]))
}

/// A package of a lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Package<'l> {
    name: &'l str,
    version: &'l str,
    checksum: Option<&'l str>,
    /// Names, with the version where there are several.
    dependencies: Vec<&'l str>,
}

impl Package<'_> {
    fn url(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }

    fn is(&self, dependency: &str) -> bool {
        match dependency.split_once(' ') {
            Some((name, version)) => name == self.name && version == self.version,
            None => dependency == self.name,
        }
    }
}

/// The packages of a lock file, whose lines Cargo always writes in one form.
fn read_lock(lock: &str) -> Vec<Package<'_>> {
    let packages = lock.split("[[package]]\n").skip(1).map(|lines| {
        let mut package = Package::default();
        for line in lines.lines() {
            match line.split_once(" = ") {
                Some(("name", value)) => package.name = value.trim_matches('"'),
                Some(("version", value)) => package.version = value.trim_matches('"'),
                Some(("checksum", value)) => package.checksum = Some(value.trim_matches('"')),
                None if line.starts_with(' ') => {
                    package.dependencies.push(line.trim().trim_end_matches(',').trim_matches('"'));
                }
                _ => {}
            }
        }
        package
    });
    packages.collect()
}

/// What only tests of this package need.
fn only_for_tests(manifest: &str) -> HashSet<&str> {
    let mut names: BTreeMap<bool, HashSet<&str>> = BTreeMap::new();
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        } else if section.ends_with("dependencies")
            && let Some((name, _)) = line.split_once(" = ")
        {
            names.entry(section == "dev-dependencies").or_default().insert(name);
        }
    }
    let used = names.remove(&false).unwrap_or_default();
    names.remove(&true).unwrap_or_default().difference(&used).copied().collect()
}

/// The bill of what can be reached from this package.
fn bill(packages: &[Package<'_>], left_out: &HashSet<&str>, digest: &Digest) -> Option<Value> {
    let find = |dependency: &str| packages.iter().position(|package| package.is(dependency));
    let root_idx = find(NAME)?;
    let needed = |idx: usize| {
        let names = packages[idx].dependencies.iter();
        let names = names.filter(move |name| idx != root_idx || !left_out.contains(**name));
        names.filter_map(|name| find(name)).collect::<BTreeSet<_>>()
    };
    let mut reached = BTreeSet::from([root_idx]);
    let mut to_visit = vec![root_idx];
    while let Some(idx) = to_visit.pop() {
        to_visit.extend(needed(idx).into_iter().filter(|idx| reached.insert(*idx)));
    }
    let component = |idx: usize, kind: &str, hash: Option<&str>| {
        let package = &packages[idx];
        let url = package.url();
        let mut component = json!({"type": kind, "bom-ref": url, "name": package.name, "version": package.version, "purl": url});
        if let Some(hash) = hash {
            component["hashes"] = json!([{"alg": "SHA-256", "content": hash}]);
        }
        component
    };
    let components = reached.iter().filter(|idx| **idx != root_idx);
    let components: Vec<_> =
        components.map(|idx| component(*idx, "library", packages[*idx].checksum)).collect();
    let dependencies = reached.iter().map(|idx| {
        let urls: Vec<_> = needed(*idx).into_iter().map(|idx| packages[idx].url()).collect();
        json!({"ref": packages[*idx].url(), "dependsOn": urls})
    });
    Some(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(root_idx, "application", Some(digest.hex()))},
        "components": components,
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Architecture;

    fn program(bytes: Vec<u8>) -> Executable {
        Executable { architecture: Architecture::Amd64, bytes: bytes.into() }
    }

    #[test]
    fn a_program_says_what_it_is_made_of() {
        let mut bytes = vec![0xff; 1000];
        bytes.extend_from_slice(DEPENDENCIES.as_bytes());
        bytes.extend_from_slice(b"\xffmore");
        let bill = Bill::of(&program(bytes)).unwrap();
        let bill: Value = serde_json::from_slice(&bill.bytes).unwrap();
        let components = bill["components"].as_array().unwrap();
        let names: Vec<_> = components.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"reqwest") && names.contains(&"yaml_serde"), "{names:?}");
        assert!(!names.contains(&"insta") && !names.contains(&NAME), "{names:?}");
        assert!(components.iter().all(|it| it["hashes"].is_array()));
        assert_eq!(bill["metadata"]["component"]["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn a_program_may_keep_it_to_itself() {
        assert!(Bill::of(&program(b"\x7fELF".to_vec())).is_none());
    }

    #[test]
    fn lists_are_read_as_cargo_writes_them() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"00\"\n\
                    dependencies = [\n \"b\",\n \"c 2.0.0\",\n]\n\n[[package]]\nname = \"b\"\nversion = \"0.1.0\"\n";
        let packages = read_lock(lock);
        let expect = [
            Package {
                name: "a",
                version: "1.0.0",
                checksum: Some("00"),
                dependencies: vec!["b", "c 2.0.0"],
            },
            Package { name: "b", version: "0.1.0", ..Package::default() },
        ];
        assert_eq!(packages, expect);
        let manifest = "[dependencies]\na = \"1\"\n[dev-dependencies]\na = \"1\"\nb = \"1\"\n\
                        [lints.rust]\nc = \"x\"\n";
        assert_eq!(only_for_tests(manifest), HashSet::from(["b"]));
    }
}
