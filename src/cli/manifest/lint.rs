//! `manifest lint`: findings beyond validity, for authors.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::validate::summary;
use crate::cli::tell;
use crate::engine::{check_manifest, inspect_manifest};
use crate::lint::{self, Checked, Choice};
use crate::manifest::{Findings, Manifest, Severity, Source, render};
use crate::protocol::writer;

/// Says what manifests that run may still do wrong, and where.
///
/// A comment `# lint: allow RULE` on the line of a finding, or above it, says that something is
/// meant to be so. Ends with 1 if an error remains. A manifest that cannot run is not looked at
/// any further: what is wrong with it is said instead.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source-declarative-manifest manifest lint manifest.yaml
  source-declarative-manifest manifest lint --fix manifest.yaml
  source-declarative-manifest manifest lint --deny all --allow page-size-not-sent */manifest.yaml
  source-declarative-manifest manifest lint --format sarif manifest.yaml > lint.sarif
  source-declarative-manifest manifest lint --explain unset-variable")]
pub(super) struct Lint {
    /// The manifests, YAML files.
    #[arg(required_unless_present = "explain")]
    files: Vec<PathBuf>,
    /// Does not ask this rule.
    #[arg(long, value_name = "RULE")]
    allow: Vec<String>,
    /// Makes the findings of this rule errors; `all` stands for every rule.
    #[arg(long, value_name = "RULE")]
    deny: Vec<String>,
    /// Mends in the files what can be mended for certain; all else in them stays as it is.
    #[arg(long)]
    fix: bool,
    /// How findings are told: to people on stderr, or to programs on stdout.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Prints the page of a rule.
    #[arg(long, value_name = "RULE", conflicts_with = "files")]
    explain: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// A list of objects.
    Json,
    /// SARIF 2.1.0, as code scanners read it.
    Sarif,
}

impl Lint {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        if let Some(name) = &self.explain {
            let name = known(name)?;
            let rule = lint::rules::all().find(|rule| rule.name == name);
            writer::print(rule.map_or("", |rule| rule.page).as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        let choice = self.choice()?;
        let files: Vec<_> =
            self.files.iter().map(|file| self.check(file, &choice)).collect::<Result<_, _>>()?;
        match self.format {
            Format::Text => files.iter().for_each(tell_all),
            Format::Json => writer::print(format!("{:#}\n", lint::to_json(&files)).as_bytes())?,
            Format::Sarif => writer::print(format!("{:#}\n", lint::to_sarif(&files)).as_bytes())?,
        }
        let has_errors = files.iter().any(|file| file.findings.has_errors());
        Ok(if has_errors { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn choice(&self) -> anyhow::Result<Choice> {
        let denied = self.deny.iter().filter(|name| *name != "all");
        Ok(Choice {
            allowed: self.allow.iter().map(|name| known(name)).collect::<Result<_, _>>()?,
            denied: denied.map(|name| known(name)).collect::<Result<_, _>>()?,
            denies_all: self.deny.iter().any(|name| name == "all"),
        })
    }

    fn check(&self, file: &Path, choice: &Choice) -> anyhow::Result<Checked> {
        let mut source = Source::read(file)?;
        source.name = relative(file);
        let mut findings = findings_of(&source, choice);
        if self.fix {
            let (fixed, n_fixed) = lint::apply_fixes(&source.text, &findings);
            if n_fixed > 0 {
                let fixed = Source::new(source.name.clone(), fixed);
                let left = findings_of(&fixed, choice);
                if left.has_errors() && !findings.has_errors() {
                    bail!("mending {} would break it, so it stays as it is", file.display());
                }
                fs::write(file, &*fixed.text)
                    .with_context(|| format!("cannot write {}", file.display()))?;
                (source, findings) = (fixed, left);
            }
        }
        Ok(Checked { source, findings })
    }
}

/// What is wrong with the manifest, and, if it runs nevertheless, what the rules find.
fn findings_of(source: &Source, choice: &Choice) -> Findings {
    let (manifest, written) = Manifest::with_written(source.clone());
    let faults = inspect_manifest(&manifest).into_iter();
    let mut findings: Findings = faults.filter(|it| it.severity == Severity::Error).collect();
    if check_manifest(&manifest).0.is_some() {
        findings.extend(lint::lint(&manifest, written.as_ref(), choice));
    }
    findings.sorted().into_iter().cloned().collect()
}

fn tell_all(file: &Checked) {
    if file.findings.is_empty() {
        return;
    }
    let is_coloured = io::stderr().is_terminal();
    tell(&render(&file.findings, Some(&file.source), is_coloured));
    tell(&format!("\n\n{}: {}\n", file.source.name, summary(&file.findings)));
}

/// The name of a rule, with or without the beginning of its code.
fn known(name: &str) -> anyhow::Result<String> {
    let bare = name.strip_prefix(lint::PREFIX).unwrap_or(name);
    if lint::rules::all().any(|rule| rule.name == bare) {
        return Ok(bare.to_owned());
    }
    let names = lint::rules::all().map(|rule| rule.name);
    match crate::manifest::did_you_mean(bare, names) {
        Some(candidate) => bail!("there is no rule `{name}`; did you mean `{candidate}`?"),
        None => bail!("there is no rule `{name}`; docs/lint/README.md lists them"),
    }
}

/// The path from the current folder, where the file is below it.
fn relative(file: &Path) -> String {
    let folder = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}
