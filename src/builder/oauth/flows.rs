//! The consents that are asked for and not given yet: each is known by a state that only this
//! server and the browser that was sent away have, counts once, and not for long.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::constant_time;
use jiff::{SignedDuration, Timestamp};

use super::{Consent, OAuthError};
use crate::run::RunContext;
use crate::value::Secret;

/// How long a user may take to agree.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// How long the exchange of a code may take.
const LONGEST_EXCHANGE: SignedDuration = SignedDuration::from_mins(5);
/// The oldest is forgotten when there are more.
const MOST: usize = 32;
/// What a state is made of; 64 characters, so that each is as likely.
const ALPHABET: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/// All consents of a server.
#[derive(Debug, Default)]
pub struct Flows(Mutex<VecDeque<Flow>>);

#[derive(Debug)]
struct Flow {
    id: String,
    state: Secret,
    began: Timestamp,
    /// Taken by the first answer.
    asked: Option<Asked>,
    status: Status,
}

/// What was asked for.
#[derive(Debug)]
pub struct Asked {
    /// Where projects are.
    pub workspace: String,
    /// Whose values the answer fills.
    pub project: String,
    /// The consent.
    pub consent: Consent,
    /// Where the user comes back to.
    pub redirect_uri: String,
}

/// What became of a consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The user has not come back yet, or the code is being exchanged.
    Waiting,
    /// Values were filled: their names.
    Done(Vec<String>),
    /// Nothing came of it.
    Failed(String),
}

impl Flows {
    /// Begins one: gives its id, which the pages ask by, and the URL to agree at.
    pub fn begin(&self, asked: Asked, run: &RunContext) -> Result<(String, String), OAuthError> {
        let mut bytes = vec![0; asked.consent.state_len()];
        run.fill_random(&mut bytes);
        let state: String =
            bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 64)])).collect();
        let url = asked.consent.url(&asked.redirect_uri, &state)?;
        let id = run.uuid().to_string();
        let (state, began) = (Secret::new(state), run.now());
        let flow =
            Flow { id: id.clone(), state, began, asked: Some(asked), status: Status::Waiting };
        let mut flows = self.flows();
        flows.push_back(flow);
        let n_old = flows.len().saturating_sub(MOST);
        flows.drain(..n_old);
        Ok((id, url))
    }

    /// The consent that a user comes back from, by the parameters of the address; each is given
    /// once, and with its state.
    pub fn take(
        &self,
        query: &[(String, String)],
        now: Timestamp,
    ) -> Option<(String, String, Asked)> {
        let mut flows = self.flows();
        let flow = flows.iter_mut().find(|flow| flow.is_meant(query))?;
        if flow.is_over(now) {
            return None;
        }
        let asked = flow.asked.take()?;
        Some((flow.id.clone(), flow.state.expose().clone(), asked))
    }

    /// Notes what became of a consent.
    pub fn end(&self, id: &str, status: Status) {
        if let Some(flow) = self.flows().iter_mut().find(|flow| flow.id == id) {
            flow.status = status;
        }
    }

    /// What became of a consent; nothing if it is not known any more.
    pub fn status(&self, id: &str, now: Timestamp) -> Option<Status> {
        let flows = self.flows();
        let flow = flows.iter().find(|flow| flow.id == id)?;
        if flow.status == Status::Waiting && flow.is_over(now) {
            // A code that is being exchanged came in time, and its answer may come later.
            if flow.asked.is_some() {
                return Some(Status::Failed("nobody agreed within ten minutes".to_owned()));
            }
            if now.duration_since(flow.began) > PATIENCE + LONGEST_EXCHANGE {
                return Some(Status::Failed("the exchange of the code did not end".to_owned()));
            }
        }
        Some(flow.status.clone())
    }

    fn flows(&self) -> MutexGuard<'_, VecDeque<Flow>> {
        // Nothing that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow {
    /// Whether the parameters have this one's state.
    fn is_meant(&self, query: &[(String, String)]) -> bool {
        let Some(asked) = &self.asked else { return false };
        let key = asked.consent.key("state");
        let given = query.iter().find(|(name, _)| *name == key);
        given.is_some_and(|(_, given)| {
            let state = self.state.expose().as_bytes();
            constant_time::verify_slices_are_equal(given.as_bytes(), state).is_ok()
        })
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.began) > PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::{Manifest, Source};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn begin(flows: &Flows, run: &RunContext) -> (String, String) {
        let input =
            json!({"consent_url": "http://a?{{ state_value }}", "access_token_url": "http://a"});
        let oauth = json!({"oauth_connector_input_specification": input});
        let spec = json!({"spec": {"advanced_auth": {"oauth_config_specification": oauth}}});
        let manifest = Manifest::from_yaml(Source::new("m.yaml", spec.to_string()));
        let consent = Consent::declared(&manifest, &json!({"client_id": "me"})).unwrap();
        let [workspace, project, redirect_uri] = ["w", "p", "http://b"].map(str::to_owned);
        let asked = Asked { workspace, project, consent, redirect_uri };
        let (id, url) = flows.begin(asked, run).unwrap();
        (id, url.trim_start_matches("http://a?").to_owned())
    }

    fn query(state: &str) -> Vec<(String, String)> {
        vec![("code".to_owned(), "c".to_owned()), ("state".to_owned(), state.to_owned())]
    }

    #[test]
    fn a_state_counts_once_and_no_other_counts() {
        let (flows, run) = (Flows::default(), RunContext::fixed(NOW));
        let (id, state) = begin(&flows, &run);
        assert_eq!(state.len(), 64);
        assert!(flows.take(&[], NOW).is_none());
        assert!(flows.take(&query("other"), NOW).is_none());
        assert!(flows.take(&query(&state[..63]), NOW).is_none());
        assert_eq!(flows.status(&id, NOW), Some(Status::Waiting));
        assert_eq!(flows.take(&query(&state), NOW).unwrap().0, id);
        assert!(flows.take(&query(&state), NOW).is_none());
        flows.end(&id, Status::Done(vec!["a".to_owned()]));
        assert_eq!(flows.status(&id, NOW), Some(Status::Done(vec!["a".to_owned()])));
        assert_eq!(flows.status("other", NOW), None);
    }

    #[test]
    fn a_state_does_not_count_for_ever() {
        let (flows, run) = (Flows::default(), RunContext::fixed(NOW));
        let (id, state) = begin(&flows, &run);
        let later = NOW + PATIENCE + SignedDuration::from_secs(1);
        assert!(flows.take(&query(&state), later).is_none());
        assert!(matches!(flows.status(&id, later), Some(Status::Failed(_))));

        // What was taken in time is waited for, but not for ever.
        let (id, state) = begin(&flows, &run);
        assert!(flows.take(&query(&state), NOW + PATIENCE).is_some());
        assert_eq!(flows.status(&id, later), Some(Status::Waiting));
        let end = later + LONGEST_EXCHANGE;
        assert!(matches!(flows.status(&id, end), Some(Status::Failed(_))));
    }

    #[test]
    fn old_ones_are_forgotten() {
        let (flows, run) = (Flows::default(), RunContext::fixed(NOW));
        let (id, state) = begin(&flows, &run);
        (0..MOST).for_each(|_| drop(begin(&flows, &run)));
        assert_eq!(flows.status(&id, NOW), None);
        assert!(flows.take(&query(&state), NOW).is_none());
    }
}
