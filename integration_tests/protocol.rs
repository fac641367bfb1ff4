//! What the platform relies on whatever command it runs.

use std::fs::File;
use std::io;
use std::process::Stdio;

use crate::binary::{answer, command};

#[test]
fn no_arguments_are_answered_with_the_usage() {
    let answer = answer(&mut command(), b"");
    assert_eq!((answer.code, answer.stdout.as_str()), (1, ""));
    assert!(answer.stderr.contains("Usage:"), "{}", answer.stderr);
}

#[test]
fn the_specification_of_the_tool_asks_for_a_manifest() {
    let answer = answer(command().arg("spec"), b"");
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    assert_eq!(
        answer.stdout,
        concat!(
            r#"{"type":"SPEC","spec":{"connectionSpecification":{"#,
            r#""$schema":"http://json-schema.org/draft-07/schema#","title":"Low-code source spec","#,
            r#""type":"object","required":["__injected_declarative_manifest"],"#,
            r#""additionalProperties":true,"properties":{"__injected_declarative_manifest":{"#,
            r#""title":"Low-code manifest","type":"object","description":"The low-code manifest "#,
            r#"that defines the components of the source."}}},"#,
            r#""documentationUrl":"https://docs.airbyte.com/integrations/sources/low-code","#,
            r#""supportsNormalization":false,"supportsDBT":false}}"#,
            "\n",
        )
    );
}

#[cfg(unix)]
#[test]
fn the_names_of_an_interpreter_mean_this_binary() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["python", "python3", "ddtrace-run"] {
        let alias = folder.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_source-declarative-manifest"), &alias)
            .unwrap();
        let mut command = std::process::Command::new(alias);
        let answer = answer(command.args(["./main.py", "spec"]), b"");
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        assert!(answer.stdout.starts_with(r#"{"type":"SPEC""#), "{}", answer.stdout);
    }
}

#[test]
fn a_reader_that_has_gone_ends_the_run_quietly() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = command().arg("spec").stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let output = output.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(1), Vec::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_cannot_be_written_is_told() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command().arg("spec").stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let output = output.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.starts_with("error: No space left on device"), "{stderr}");
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let answer = answer(command().args(["completions", shell]), b"");
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
        assert!(answer.stdout.contains("source-declarative-manifest"), "{shell}");
    }
}
