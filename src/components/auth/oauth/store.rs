//! Where an access token is kept until it expires.

use std::sync::{Mutex, PoisonError};

use crate::components::{BuildError, ReadError, Surroundings};
use crate::template::EvalError;
use crate::template::time::{DateTime, TimeDelta};
use crate::value::{Json, Map, Path, insert, python_str};

use super::super::expiry::parse_date;
use super::refresh::NewToken;

/// Where an access token is kept.
pub(super) enum TokenStore {
    /// In the authenticator.
    Memory(Mutex<KeptToken>),
    /// In the config, together with the refresh token, which each use replaces.
    Config(Box<ConfigPaths>),
}

/// A token that only the authenticator knows.
pub(super) struct KeptToken {
    pub(super) token: Option<Json>,
    pub(super) expiry: DateTime,
}

/// Where in the config tokens are.
pub(super) struct ConfigPaths {
    pub(super) access_token: ConfigPath,
    pub(super) refresh_token: ConfigPath,
    pub(super) expiry: ConfigPath,
}

/// A place in the config.
pub(super) struct ConfigPath {
    keys: Vec<Json>,
    path: Path,
}

impl ConfigPath {
    pub(super) fn new(keys: &[String]) -> Result<Self, BuildError> {
        let keys: Vec<_> = keys.iter().map(|key| Json::String(key.clone())).collect();
        let path =
            Path::new(keys.iter().cloned()).map_err(|err| BuildError::new(err.to_string()))?;
        Ok(Self { keys, path })
    }

    /// The value there; an empty text when there is none.
    pub(super) fn get(&self, surroundings: &Surroundings) -> Result<Json, ReadError> {
        let config = surroundings.config().snapshot();
        let value = self.path.get_in(&config)?;
        Ok(value.cloned().unwrap_or_else(|| Json::String(String::new())))
    }
}

impl TokenStore {
    /// The token, if there is any.
    pub(super) fn access_token(
        &self,
        surroundings: &Surroundings,
    ) -> Result<Option<Json>, ReadError> {
        match self {
            Self::Memory(kept) => Ok(lock(kept).token.clone()),
            Self::Config(paths) => paths.access_token.get(surroundings).map(Some),
        }
    }

    /// When the token expires or has expired; `None` when there was none yet.
    pub(super) fn expiry(
        &self,
        surroundings: &Surroundings,
    ) -> Result<Option<DateTime>, ReadError> {
        match self {
            Self::Memory(kept) => {
                let kept = lock(kept);
                Ok(kept.token.is_some().then_some(kept.expiry))
            }
            Self::Config(paths) => {
                let expiry = paths.expiry.get(surroundings)?;
                match expiry.as_str() {
                    Some("") => Ok(None),
                    _ => Ok(Some(parse_date(&python_str(&expiry)).map_err(ReadError::value)?)),
                }
            }
        }
    }

    /// Whether a new token is needed.
    pub(super) fn is_expired(&self, surroundings: &Surroundings) -> Result<bool, ReadError> {
        match self.expiry(surroundings)? {
            Some(expiry) => is_past(expiry, surroundings),
            None => Ok(true),
        }
    }

    /// Keeps a new token; nobody finds it in the config before the change has been told.
    pub(super) async fn keep(
        &self,
        new: NewToken,
        surroundings: &Surroundings,
    ) -> Result<(), ReadError> {
        let expiry = match new.expiry {
            Some(expiry) => expiry,
            None => self.usual_expiry(surroundings)?,
        };
        match self {
            Self::Memory(kept) => {
                *lock(kept) = KeptToken { token: Some(new.access_token), expiry };
            }
            Self::Config(paths) => {
                let expiry = expiry.isoformat('T', "auto").map_err(EvalError::from)?;
                let mut values = vec![(&paths.access_token, new.access_token)];
                values.extend(new.refresh_token.map(|token| (&paths.refresh_token, token)));
                values.push((&paths.expiry, Json::String(expiry)));
                let mut config = Map::clone(&surroundings.config().snapshot());
                for (path, value) in values {
                    insert(&mut config, &path.keys, value)?;
                }
                surroundings.environment().observer.config_changed(&config).await;
                surroundings.config().update(|current| *current = config);
            }
        }
        Ok(())
    }

    /// When a token expires that does not say so: as the one before, or in an hour, which is long
    /// enough not to ask for one all the time, and short enough for most.
    fn usual_expiry(&self, surroundings: &Surroundings) -> Result<DateTime, ReadError> {
        match self.expiry(surroundings)? {
            Some(expiry) if !is_past(expiry, surroundings)? => Ok(expiry),
            _ => {
                let hour = TimeDelta::from_days(1.0 / 24.0).map_err(EvalError::from)?;
                let now = DateTime::from_timestamp(surroundings.run().now());
                Ok(now.plus(hour).map_err(EvalError::from)?)
            }
        }
    }
}

fn is_past(expiry: DateTime, surroundings: &Surroundings) -> Result<bool, ReadError> {
    let now = DateTime::from_timestamp(surroundings.run().now());
    Ok(now.compare(expiry).map_err(EvalError::from)?.is_gt())
}

/// A panic while the lock is held cannot leave a token half written.
fn lock(kept: &Mutex<KeptToken>) -> std::sync::MutexGuard<'_, KeptToken> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
