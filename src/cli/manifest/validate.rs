//! `manifest validate`: all that is wrong with a manifest.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::show;
use crate::cli::tell;
use crate::engine::inspect_manifest;
use crate::manifest::{Findings, Manifest, Severity, Source};

/// Says all that is wrong with manifests, and where.
///
/// Ends with 1 if one of them cannot run; warnings and notes do not count.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest manifest validate manifest.yaml")]
pub(super) struct Validate {
    /// The manifests, YAML files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl Validate {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut code = ExitCode::SUCCESS;
        for file in &self.files {
            if validate(file)?.has_errors() {
                code = ExitCode::FAILURE;
            }
        }
        Ok(code)
    }
}

/// Tells what is wrong with one manifest, and how much that is.
fn validate(file: &Path) -> anyhow::Result<Findings> {
    let findings = inspect(file)?;
    tell(&format!("{}: {}\n", file.display(), summary(&findings)));
    Ok(findings)
}

/// Tells what is wrong with one manifest; of one without faults nothing.
pub(in crate::cli) fn inspect(file: &Path) -> anyhow::Result<Findings> {
    let manifest = Manifest::from_yaml(Source::read(file)?);
    let findings = inspect_manifest(&manifest);
    if !findings.is_empty() {
        show(&findings, manifest.source.as_ref());
    }
    Ok(findings)
}

/// How many findings there are of each severity: `2 errors, 1 warning`.
pub(super) fn summary(findings: &Findings) -> String {
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
