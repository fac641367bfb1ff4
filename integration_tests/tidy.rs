//! Keeps the house tidy: reads the sources and says which rule of
//! `ARCHITECTURE.md` was broken, and where.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from the top of the house to its bottom; a room knows only those on lower floors.
const FLOORS: [&[&str]; 7] = [
    &["cli"],
    &["builder"],
    &["workspace", "image"],
    &["engine", "lint"],
    &["components"],
    &["http", "template", "manifest"],
    &["protocol"],
];
/// What every room may know.
const BASEMENT: [&str; 2] = ["value", "run"];
/// What stands above the families: the list of all, and the root of a manifest.
const ABOVE_FAMILIES: [&str; 2] = ["components/registry.rs", "components/source/"];
const LONGEST_FILE: usize = 900;

/// One source file; tests at its end are not looked at, as they are no part of the house.
struct File<'a> {
    /// From `src/`.
    path: &'a str,
    code: &'a str,
}

impl<'a> File<'a> {
    fn new(path: &'a str, text: &'a str) -> Self {
        Self { path, code: text.split("#[cfg(test)]").next().unwrap_or_default() }
    }

    fn room(&self) -> &'a str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The lines that are not comments, with their numbers; an import over several is one.
    fn lines(&self) -> impl Iterator<Item = (usize, String)> {
        let numbered = self.code.lines().enumerate().map(|(idx, line)| (idx + 1, line.trim()));
        let mut code = numbered.filter(|(_, line)| !line.starts_with("//"));
        std::iter::from_fn(move || {
            let (number, line) = code.next()?;
            let mut line = line.to_owned();
            let is_import = line.starts_with("use ") || line.starts_with("pub use ");
            while is_import
                && !line.ends_with(';')
                && let Some((_, next)) = code.next()
            {
                line.push_str(next);
            }
            Some((number, line))
        })
    }

    fn fault(&self, line: usize, sentence: &str) -> String {
        format!("src/{}:{line}: {sentence}", self.path)
    }

    /// Faults where `code` contains one of `words`, outside of the files `allowed`.
    fn forbid(&self, words: &[&str], allowed: &[&str], sentence: &str) -> Vec<String> {
        if allowed.iter().any(|start| self.path.starts_with(start)) {
            return Vec::new();
        }
        let is_broken = |line: &str| words.iter().any(|word| contains_word(line, word));
        let broken = self.lines().filter(|(_, line)| is_broken(line));
        broken.map(|(number, _)| self.fault(number, sentence)).collect()
    }
}

fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(start, _)| !line[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The names that follow `prefix` in a line: `crate::{value, run::x}` names two.
fn named_after<'a>(line: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = Vec::new();
    for (start, _) in line.match_indices(prefix) {
        let rest = &line[start + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.extend(rest.split(|c| !is_name(c)).next());
            continue;
        };
        let mut depth = 0;
        let mut is_start = true;
        for (idx, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => is_start = true,
                _ if depth == 0 && is_start && is_name(c) => {
                    names.extend(list[idx..].split(|c| !is_name(c)).next());
                    is_start = false;
                }
                _ => {}
            }
        }
    }
    names
}

fn floor(room: &str) -> Option<usize> {
    if BASEMENT.contains(&room) {
        return Some(FLOORS.len());
    }
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Rooms know only rooms further down.
fn broken_walls(file: &File<'_>) -> Vec<String> {
    let room = file.room();
    if matches!(room, "main" | "lib") {
        return Vec::new();
    }
    let Some(own_floor) = floor(room) else {
        return vec![file.fault(1, &format!("the room `{room}` is not in the plan of the house"))];
    };
    let mut faults = Vec::new();
    for (number, line) in file.lines() {
        for other in named_after(&line, "crate::") {
            let Some(floor) = floor(other).filter(|_| other != room) else { continue };
            if floor < own_floor {
                let sentence = format!("`{room}` must not know `{other}`, which is above it");
                faults.push(file.fault(number, &sentence));
            } else if floor == own_floor {
                let sentence = format!("`{room}` must not know `{other}`, which is beside it");
                faults.push(file.fault(number, &sentence));
            }
        }
    }
    faults
}

/// Families of components meet only through the files beside their folders.
fn broken_family_walls(file: &File<'_>, families: &[String]) -> Vec<String> {
    let Some(in_components) = file.path.strip_prefix("components/") else { return Vec::new() };
    let own = in_components.split_once('/').map(|(family, _)| family);
    if ABOVE_FAMILIES.iter().any(|start| file.path.starts_with(start)) {
        return Vec::new();
    }
    let module = in_components.trim_end_matches(".rs").trim_end_matches("/mod");
    let to_components = format!(" {}", "super::".repeat(1 + module.matches('/').count()));
    let mut faults = Vec::new();
    for (number, line) in file.lines() {
        let mut names = named_after(&line, "crate::components::");
        names.extend(named_after(&line, &to_components));
        for name in names {
            if families.iter().any(|family| family == name) && own != Some(name) {
                let who = own.map_or_else(
                    || format!("`{}`, which all families meet through,", file.path),
                    |own| format!("the family `{own}`"),
                );
                let sentence = format!("{who} must not know the family `{name}`");
                faults.push(file.fault(number, &sentence));
            }
        }
    }
    faults
}

fn overlong(file: &File<'_>, text: &str) -> Vec<String> {
    let n_lines = text.lines().count();
    let sentence = format!("{n_lines} lines are too many for one file (at most {LONGEST_FILE})");
    (n_lines > LONGEST_FILE).then(|| file.fault(n_lines, &sentence)).into_iter().collect()
}

fn stray_output(file: &File<'_>) -> Vec<String> {
    let stdout = ["io::stdout", "println!", "print!"];
    let mut faults =
        file.forbid(&stdout, &["protocol/writer.rs"], "only `protocol::writer` writes stdout");
    let stderr = ["io::stderr", "eprintln!", "eprint!"];
    faults.extend(file.forbid(&stderr, &["cli/"], "only `cli` talks to people, on stderr"));
    faults
}

fn stray_sockets(file: &File<'_>) -> Vec<String> {
    let words = ["reqwest::", "tokio::net", "std::net", "hyper::"];
    let sentence = "only `http` opens sockets, and `builder::serve` the one that listens";
    file.forbid(&words, &["http/", "builder/serve.rs"], sentence)
}

/// The environment is read where the command line is, and where the network's settings are.
fn stray_environment(file: &File<'_>) -> Vec<String> {
    let words = ["env::var", "env::vars", "env::var_os"];
    let sentence = "the environment is read only in `cli` and in `http::network`";
    file.forbid(&words, &["cli/", "http/network/"], sentence)
}

fn stray_serde(file: &File<'_>) -> Vec<String> {
    let broken = file.lines().filter(|(_, line)| {
        line.starts_with("#[serde(") && (line.contains("flatten") || line.contains("untagged"))
    });
    let sentence = "`flatten` and `untagged` lose the place of a fault; write a visitor";
    broken.map(|(number, _)| file.fault(number, sentence)).collect()
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                sources.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    sources
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

#[track_caller]
fn check_sources(rule: impl Fn(&File<'_>, &str) -> Vec<String>) {
    let sources = sources();
    assert!(sources.len() > 10, "the sources were not found");
    let mut report = String::new();
    for (path, text) in &sources {
        for fault in rule(&File::new(path, text), text) {
            writeln!(report, "{fault}").unwrap();
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

#[test]
fn rooms_know_only_rooms_below_them() {
    check_sources(|file, _| broken_walls(file));
}

#[test]
fn families_of_components_do_not_know_one_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/components");
    let folders = entries(&root).into_iter().filter(|path| path.is_dir());
    let names = folders.map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    let families: Vec<_> = names.collect();
    check_sources(|file, _| broken_family_walls(file, &families));
}

#[test]
fn files_are_short() {
    check_sources(overlong);
}

#[test]
fn output_goes_through_its_own_doors() {
    check_sources(|file, _| stray_output(file));
}

#[test]
fn sockets_are_opened_in_one_room() {
    check_sources(|file, _| stray_sockets(file));
}

#[test]
fn the_environment_is_read_in_few_places() {
    check_sources(|file, _| stray_environment(file));
}

#[test]
fn serde_keeps_the_place_of_faults() {
    check_sources(|file, _| stray_serde(file));
}

mod rules {
    use super::*;

    #[track_caller]
    fn check(faults: &[String], expect: &[&str]) {
        assert_eq!(faults, expect);
    }

    #[test]
    fn a_room_that_looks_up_or_aside_is_found() {
        let text = "// use crate::cli::x;\nuse crate::value::Json;\nuse crate::{cli, run::Clock};\n\
                    fn f() -> crate::manifest::Node {}\n#[cfg(test)]\nuse crate::cli;\n";
        check(
            &broken_walls(&File::new("http/retry.rs", text)),
            &[
                "src/http/retry.rs:3: `http` must not know `cli`, which is above it",
                "src/http/retry.rs:4: `http` must not know `manifest`, which is beside it",
            ],
        );
        check(
            &broken_walls(&File::new("value/x.rs", "use crate::run::Clock;")),
            &["src/value/x.rs:1: `value` must not know `run`, which is beside it"],
        );
        check(
            &broken_walls(&File::new("value/x.rs", "use crate::{\n    value::Json,\n    cli,\n};")),
            &["src/value/x.rs:1: `value` must not know `cli`, which is above it"],
        );
        check(
            &broken_walls(&File::new("attic/x.rs", "")),
            &["src/attic/x.rs:1: the room `attic` is not in the plan of the house"],
        );
    }

    #[test]
    fn a_family_that_knows_another_is_found() {
        let families = ["auth".to_owned(), "cursor".to_owned()];
        let broken = |path, text| broken_family_walls(&File::new(path, text), &families);
        let text = "use crate::components::{Slot, cursor::X};\nuse super::super::cursor;\n\
                    use super::cursor;\nuse crate::components::auth::Y;\n";
        check(
            &broken("components/auth/jwt.rs", text),
            &[
                "src/components/auth/jwt.rs:1: the family `auth` must not know the family `cursor`",
                "src/components/auth/jwt.rs:2: the family `auth` must not know the family `cursor`",
            ],
        );
        check(
            &broken("components/slot.rs", "use crate::components::auth::X;"),
            &[
                "src/components/slot.rs:1: `components/slot.rs`, which all families meet through, must not \
                 know the family `auth`",
            ],
        );
        check(
            &broken("components/auth/mod.rs", "use super::cursor;"),
            &["src/components/auth/mod.rs:1: the family `auth` must not know the family `cursor`"],
        );
        check(&broken("components/registry.rs", "use super::auth;"), &[]);
    }

    #[test]
    fn stray_doors_are_found() {
        let file =
            File::new("engine/x.rs", "println!();\neprintln!();\nlet s = std::io::stdout();");
        assert_eq!(stray_output(&file).len(), 3);
        assert_eq!(stray_output(&File::new("cli/x.rs", "io::stderr();")), Vec::<String>::new());
        let file =
            File::new("engine/x.rs", "use std::net::TcpStream;\nlet v = std::env::var(\"X\");");
        assert_eq!((stray_sockets(&file).len(), stray_environment(&file).len()), (1, 1));
        assert_eq!(stray_serde(&File::new("x.rs", "#[serde(flatten)]")).len(), 1);
        assert_eq!(overlong(&File::new("x.rs", ""), &"\n".repeat(901)).len(), 1);
    }
}
