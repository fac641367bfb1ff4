//! `new`: the beginning of a connector.

use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use super::tell;
use crate::run::RunContext;

/// What names of connectors begin with.
const PREFIX: &str = "source-";
/// The files of a connector.
const TEMPLATE: [(&str, &str); 6] = [
    (".gitignore", include_str!("template/gitignore")),
    ("README.md", include_str!("template/README.md")),
    ("cassette.jsonl", include_str!("template/cassette.jsonl")),
    ("config.example.json", include_str!("template/config.example.json")),
    ("manifest.yaml", include_str!("template/manifest.yaml")),
    ("metadata.yaml", include_str!("template/metadata.yaml")),
];

/// Starts a connector: a folder with a manifest that runs, and everything around it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest new source-pokeapi")]
pub(super) struct New {
    /// What the connector reads from: `pokeapi` or `source-pokeapi`.
    name: String,
}

impl New {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let name = self.name.strip_prefix(PREFIX).unwrap_or(&self.name);
        if !is_name(name) {
            bail!(
                "`{}` is no name of a connector: that is made of lower-case letters and digits, \
                 in words with `-` between them, and begins with a letter",
                self.name
            );
        }
        let folder = format!("{PREFIX}{name}");
        match fs::create_dir(&folder) {
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
                bail!("{folder} is there already, and stays as it is");
            }
            created => created.with_context(|| format!("cannot make the folder {folder}"))?,
        }
        let run = RunContext::system();
        let date = run.now().strftime("%Y-%m-%d").to_string();
        let id = run.uuid().to_string();
        for (file, template) in TEMPLATE {
            let text = template
                .replace("@NAME@", name)
                .replace("@TITLE@", &title(name))
                .replace("@DATE@", &date)
                .replace("@ID@", &id);
            let file = Path::new(&folder).join(file);
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        tell(&format!(
            "{folder} is a connector that runs; next: `cd {folder} && source-declarative-manifest \
             read --manifest-path manifest.yaml --config config.example.json --replay \
             cassette.jsonl`, then {folder}/README.md\n"
        ));
        Ok(ExitCode::SUCCESS)
    }
}

/// Whether a registry, a folder, and a person can take the name.
fn is_name(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.split('-').all(|word| !word.is_empty() && word.chars().all(is_letter))
}

/// The name as people write it: `Hacker news`.
fn title(name: &str) -> String {
    let text = name.replace('-', " ");
    // A name begins with a letter of one byte.
    let (first, rest) = text.split_at(1);
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for name in ["x", "hacker-news", "s3"] {
            assert!(is_name(name), "{name}");
        }
        let long = "x".repeat(101);
        for name in ["", "-", "X", "a--b", "a-", "../x", "a b", "3s", "a_b", &long] {
            assert!(!is_name(name), "{name}");
        }
        assert_eq!(title("hacker-news"), "Hacker news");
    }
}
