//! The files that a command is given.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::bail;

use crate::value::{self, Json, Map, python_repr};

/// Reads a config.
pub(super) fn read_config(path: &Path) -> anyhow::Result<Map> {
    match read_json(path)? {
        Json::Object(config) => Ok(config),
        _ => bail!(
            "The content of {} is not an object and therefore is not a valid config. Please \
             ensure the file represent a config.",
            path.display()
        ),
    }
}

fn read_json(path: &Path) -> anyhow::Result<Json> {
    let bytes = read_file(path)?;
    value::parse(&bytes).map_err(|err| {
        anyhow::anyhow!(
            "Could not read json file {}: {err}. Please ensure that it is a valid JSON.",
            path.display()
        )
    })
}

/// Reads a file; what goes wrong is told as Python tells it.
pub(super) fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).map_err(|err| anyhow::anyhow!(os_error(&err, path)))
}

fn os_error(err: &io::Error, path: &Path) -> String {
    let path = python_repr(&Json::from(path.to_string_lossy()));
    let Some(code) = err.raw_os_error() else { return format!("{err}: {path}") };
    let text = err.to_string();
    let text = text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text);
    format!("[Errno {code}] {text}: {path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_read_are_told_in_the_words_of_python() {
        let error = read_file(Path::new("/nonexistent/it's")).unwrap_err().to_string();
        assert_eq!(error, r#"[Errno 2] No such file or directory: "/nonexistent/it's""#);
    }
}
