//! Who we are for a registry, as the configuration of Docker tells.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::image::error::{ImageError, read};
use crate::value::{Json, Map, Secret};

/// Under this name Docker keeps the login for its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// Stands for the user where the secret is a token.
const TOKEN_USER: &str = "<token>";

/// What we know of ourselves for one registry; maybe nothing.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// Where it stands, or would stand.
    pub(super) file: PathBuf,
    pub(super) basic: Option<Basic>,
    /// Gets tokens in place of name and password.
    pub(super) identity_token: Option<Secret>,
}

#[derive(Debug)]
pub(super) struct Basic {
    pub(super) user: String,
    pub(super) password: Secret,
}

/// What a program that keeps credentials answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

impl Login {
    /// What the file `config.json` in `folder` has for the registry `host`.
    pub(super) fn find(folder: &Path, host: &str) -> Result<Self, ImageError> {
        let file = folder.join("config.json");
        if !file.is_file() {
            return Ok(Self { file, ..Self::default() });
        }
        let broken = |reason: String| ImageError::DockerConfig { file: file.clone(), reason };
        let config: Map =
            serde_json::from_slice(&read(&file)?).map_err(|err| broken(err.to_string()))?;
        let server = if host == "docker.io" { DOCKER_HUB } else { host };
        let helper = config
            .get("credHelpers")
            .and_then(|helpers| helpers.get(server))
            .or_else(|| config.get("credsStore"))
            .and_then(Json::as_str)
            .filter(|helper| !helper.is_empty());
        let helped = match helper {
            Some(helper) => ask(&format!("docker-credential-{helper}"), server).map_err(
                |(program, reason)| ImageError::Helper { program, file: file.clone(), reason },
            )?,
            None => None,
        };
        let auths = config.get("auths").and_then(Json::as_object);
        let login = match (helped, auths.and_then(|auths| entry(auths, server))) {
            (Some(answer), _) if answer.username == TOKEN_USER => {
                Self { identity_token: Some(answer.secret.into()), ..Self::default() }
            }
            (Some(answer), _) => {
                let basic = Basic { user: answer.username, password: answer.secret.into() };
                Self { basic: Some(basic), ..Self::default() }
            }
            (None, Some(entry)) => written(entry).map_err(broken)?,
            (None, None) => Self::default(),
        };
        Ok(Self { file, ..login })
    }

    /// Who we say we are.
    pub(super) fn user(&self) -> Option<&str> {
        let token = self.identity_token.as_ref().map(|_| TOKEN_USER);
        token.or(self.basic.as_ref().map(|basic| basic.user.as_str()))
    }
}

/// The entry of a server, whose name may be written as a URL.
fn entry<'a>(auths: &'a Map, server: &str) -> Option<&'a Json> {
    fn host(name: &str) -> &str {
        let name = name.strip_prefix("https://").or(name.strip_prefix("http://")).unwrap_or(name);
        name.split('/').next().unwrap_or_default()
    }
    let same_host = || auths.iter().find(|(name, _)| host(name) == host(server));
    auths.get(server).or_else(|| same_host().map(|(_, entry)| entry))
}

/// A login that stands in the file itself.
fn written(entry: &Json) -> Result<Login, String> {
    let text = |name: &str| entry.get(name).and_then(Json::as_str).filter(|it| !it.is_empty());
    let basic = match (text("auth"), text("username"), text("password")) {
        (Some(auth), ..) => {
            let broken = || "an `auth` in it is no name and password in Base64".to_owned();
            let auth = BASE64_STANDARD.decode(auth.trim_end_matches('\0')).map_err(|_| broken())?;
            let auth = String::from_utf8(auth).map_err(|_| broken())?;
            let (user, password) = auth.split_once(':').ok_or_else(broken)?;
            let password = password.trim_end_matches('\0').to_owned().into();
            Some(Basic { user: user.to_owned(), password })
        }
        (None, Some(user), Some(password)) => {
            Some(Basic { user: user.to_owned(), password: password.to_owned().into() })
        }
        _ => None,
    };
    let identity_token = text("identitytoken").map(|token| Secret::new(token.to_owned()));
    Ok(Login { basic, identity_token, ..Login::default() })
}

/// Asks the program that keeps credentials; nothing if it has none. A failure names the program.
fn ask(program: &str, server: &str) -> Result<Option<Answer>, (String, String)> {
    let failed = |reason: String| (program.to_owned(), reason);
    let run = || {
        let mut child = Command::new(program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // A program that wants no input may close it early.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(server.as_bytes()));
        child.wait_with_output()
    };
    let output = run().map_err(|err| failed(format!("it cannot be started: {err}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        let answer = serde_json::from_str(&text);
        return answer.map(Some).map_err(|_| failed("its answer cannot be understood".to_owned()));
    }
    // All such programs use these words, and Docker looks for them too.
    if text.contains("credentials not found") {
        return Ok(None);
    }
    Err(failed(text.lines().next().unwrap_or("it says nothing").trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The login is told as `user:password` or as the token.
    #[track_caller]
    fn check(config: &str, host: &str, expect: Result<Option<&str>, &str>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), config).unwrap();
        let login = Login::find(folder.path(), host).map(|login| {
            let basic = login.basic.map(|it| format!("{}:{}", it.user, it.password.expose()));
            login.identity_token.map(|token| token.expose().clone()).or(basic)
        });
        match (login, expect) {
            (Ok(login), Ok(expect)) => assert_eq!(login.as_deref(), expect),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}"),
            (login, expect) => panic!("{login:?} is not {expect:?}"),
        }
    }

    #[test]
    fn logins_stand_in_the_file() {
        let auth = BASE64_STANDARD.encode("me:pass:word");
        let config = json!({"auths": {
            "r.test": {"auth": auth},
            "https://index.docker.io/v1/": {"username": "hub", "password": "p"},
            "https://old.test/v1/": {"auth": auth},
            "t.test": {"auth": auth, "identitytoken": "t0ken"},
            "empty.test": {},
        }})
        .to_string();
        check(&config, "r.test", Ok(Some("me:pass:word")));
        check(&config, "docker.io", Ok(Some("hub:p")));
        check(&config, "old.test", Ok(Some("me:pass:word")));
        check(&config, "t.test", Ok(Some("t0ken")));
        check(&config, "empty.test", Ok(None));
        check(&config, "other.test", Ok(None));
    }

    #[test]
    fn a_broken_file_is_told() {
        check("{", "r.test", Err("is no configuration of Docker"));
        check(r#"{"auths": {"r.test": {"auth": "?"}}}"#, "r.test", Err("no name and password"));
    }

    #[test]
    fn programs_that_are_missing_are_told() {
        check(
            r#"{"credsStore": "not-there-at-all"}"#,
            "r.test",
            Err("docker-credential-not-there-at-all"),
        );
        check(
            r#"{"credHelpers": {"r.test": "not-there-at-all"}, "auths": {"o.test": {}}}"#,
            "o.test",
            Ok(None),
        );
    }

    #[test]
    fn without_a_file_there_is_no_login() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Login::find(folder.path(), "r.test").unwrap().user().is_none());
    }
}
