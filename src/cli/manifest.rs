//! `manifest`: what can be done with a manifest that is not run.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use super::tell;
use crate::engine::check_manifest;
use crate::manifest::{Findings, Manifest as ManifestTree, Severity, Source, render};

/// Looks at manifests without running them.
#[derive(Debug, clap::Args)]
pub(super) struct Manifest {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(Validate),
}

/// Says all that is wrong with a manifest, and where.
///
/// Ends with 1 if the manifest cannot run; warnings and notes do not count.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest manifest validate manifest.yaml")]
struct Validate {
    /// The manifest, a YAML file.
    file: PathBuf,
}

impl Manifest {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::Validate(validate) => validate.run(),
        }
    }
}

impl Validate {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let manifest = ManifestTree::from_yaml(Source::read(&self.file)?);
        let (_, findings) = check_manifest(&manifest);
        let is_coloured = io::stderr().is_terminal();
        if !findings.is_empty() {
            tell(&render(&findings, manifest.source.as_ref(), is_coloured));
            tell("\n\n");
        }
        tell(&format!("{}: {}\n", self.file.display(), summary(&findings)));
        Ok(if findings.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// How many findings there are of each severity: `2 errors, 1 warning`.
fn summary(findings: &Findings) -> String {
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let n_findings = findings.iter().filter(|finding| finding.severity == severity).count();
        let plural = if n_findings == 1 { "" } else { "s" };
        (n_findings > 0).then(|| format!("{n_findings} {}{plural}", severity.name()))
    });
    let counts: Vec<_> = counts.into_iter().flatten().collect();
    if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Finding;

    #[test]
    fn findings_are_counted() {
        let [error, warning] = [Finding::error("x", "x"), Finding::warning("x", "x")];
        assert_eq!(
            summary(&[error.clone(), warning, error].into_iter().collect()),
            "2 errors, 1 warning"
        );
        assert_eq!(summary(&Findings::default()), "nothing found");
    }
}
