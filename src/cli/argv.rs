//! The words of the command line that are meant for us.

use std::ffi::OsString;
use std::path::Path;

/// Names under which images start their Python; ours have this binary there.
const INTERPRETERS: [&str; 3] = ["python", "python3", "ddtrace-run"];

/// Leaves out what was meant for a Python interpreter.
///
/// Images that are built from the platform's templates start
/// `python /airbyte/integration_code/main.py read …`, some with `ddtrace-run`
/// before it: then everything up to the word that ends in `main.py` goes,
/// whether such a file exists or not.
pub(super) fn without_interpreter(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.into_iter().collect();
    if args.first().is_some_and(is_interpreter) {
        let n_interpreters = args.iter().take_while(|arg| is_interpreter(arg)).count();
        let is_script = |arg: &OsString| arg.to_string_lossy().ends_with("main.py");
        let script_idx = args.iter().position(is_script);
        args.drain(1..script_idx.map_or(n_interpreters, |script_idx| script_idx + 1));
    }
    args
}

fn is_interpreter(arg: &OsString) -> bool {
    let name = Path::new(arg).file_name();
    name.is_some_and(|name| INTERPRETERS.iter().any(|interpreter| name == *interpreter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &str, expect: &str) {
        let args = without_interpreter(args.split(' ').map(OsString::from));
        assert_eq!(args.join(" ".as_ref()).to_string_lossy(), expect);
    }

    #[test]
    fn our_own_words_stay() {
        check("source-declarative-manifest", "source-declarative-manifest");
        check(
            "/bin/source-declarative-manifest read main.py",
            "/bin/source-declarative-manifest read main.py",
        );
    }

    #[test]
    fn words_for_python_go() {
        check("python /airbyte/integration_code/main.py spec", "python spec");
        check("/usr/bin/python3 ./main.py check --config x", "/usr/bin/python3 check --config x");
        check("ddtrace-run python /a/main.py read", "ddtrace-run read");
        check("ddtrace-run python -u /a/main.py read", "ddtrace-run read");
        check("ddtrace-run python spec", "ddtrace-run spec");
        check("python", "python");
    }
}
