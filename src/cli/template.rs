//! `template`: evaluates templates without running a manifest.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;

use super::inputs;
use crate::protocol::writer;
use crate::run::RunContext;
use crate::template::evaluate_line;
use crate::value::Map;

/// Evaluates templates: one given with `--expr`, or many on stdin.
///
/// On stdin, each line is a JSON object with `expr`, `context`, and `mode`
/// (string, raw, boolean, mapping or nested), and optionally `valid_types` and
/// `default`. Each line is answered by one: its `result` and the Python `type`
/// of that, or its `error` and the `message` of that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source-declarative-manifest template --expr \"{{ config['start'] }}\" --context context.json
  source-declarative-manifest template --now 2024-05-06T07:08:09Z < templates.jsonl")]
pub(super) struct Template {
    /// The template to evaluate.
    #[arg(long, value_name = "TEMPLATE")]
    expr: Option<String>,
    /// The variables of the template, a JSON file: {"config": {...}, "record": {...}}.
    #[arg(long, value_name = "FILE", requires = "expr")]
    context: Option<PathBuf>,
    /// What time it is for the templates; the clock's unless given.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

impl Template {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let run = self.now.map_or_else(RunContext::system, RunContext::fixed);
        if let Some(expr) = &self.expr {
            return self.evaluate(expr, &run);
        }
        evaluate_lines(&run)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Evaluates one template, and fails with it.
    fn evaluate(&self, expr: &str, run: &RunContext) -> anyhow::Result<ExitCode> {
        let context = self.context.as_deref().map(inputs::read_config).transpose()?;
        let line = json!({"mode": "string", "expr": expr, "context": context.unwrap_or_default()})
            .to_string();
        let answer = evaluate_line(&line, run);
        writer::print(format!("{answer}\n").as_bytes())?;
        let answer: Map = serde_json::from_str(&answer)?;
        let has_failed = answer.contains_key("error");
        Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn evaluate_lines(run: &RunContext) -> anyhow::Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line.context("cannot read stdin")?;
        if !line.trim().is_empty() {
            writer::print(format!("{}\n", evaluate_line(&line, run)).as_bytes())?;
        }
    }
    Ok(())
}
