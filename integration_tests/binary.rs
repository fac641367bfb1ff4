//! Runs the binary as a platform does.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// No test case has this much to do.
const LIMIT: Duration = Duration::from_mins(5);

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary, with nothing in its environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_source-declarative-manifest"));
    command.env_clear().env("RUST_BACKTRACE", "0");
    command
}

/// Runs the binary in `folder`.
#[track_caller]
pub(crate) fn run_in(folder: &Path, args: &[&str], stdin: &[u8]) -> Answer {
    let mut command = command();
    command.current_dir(folder).args(args);
    answer(&mut command, stdin)
}

/// Runs `command` to its end; that it panicked, hung, or printed half a line is never right.
#[track_caller]
pub(crate) fn answer(command: &mut Command, stdin: &[u8]) -> Answer {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may close it early.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let (Ok(stdout), Ok(stderr)) = (stdout.recv_timeout(LIMIT), stderr.recv_timeout(LIMIT)) else {
        child.kill().unwrap();
        panic!("the command did not end: {command:?}");
    };
    let status = child.wait().unwrap();
    let code = status.code().unwrap_or_else(|| panic!("the command was killed: {status}"));
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert!(stdout.is_empty() || stdout.ends_with('\n'), "half a line: {stdout}");
    Answer { code, stdout, stderr }
}

fn collect(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        sender.send(String::from_utf8(bytes).unwrap())
    });
    receiver
}
