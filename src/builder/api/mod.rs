//! What the Builder's own pages ask for: projects, and what can be said of a manifest's text.

mod analysis;
mod answer;
mod commands;
mod downloads;
mod events;
mod images;
mod oauth;
mod projects;
mod running;
mod test_reads;
mod test_result;
mod testing_values;
mod versions;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use super::oauth::Flows;
use super::outside::Outside;
use super::serve::Settings;
use crate::image::Workshop;
use crate::run::RunContext;
use crate::workspace::{Store, WorkspaceError};
use answer::{Answer, Failure};
use downloads::Downloads;
use running::Tests;

/// What all answers share.
#[derive(Clone, Debug)]
struct Api(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    data: PathBuf,
    allows_custom_code: bool,
    is_trusted: bool,
    outside: Outside,
    tests: Tests,
    workshop: Arc<Workshop>,
    /// An image takes a few times its size of memory: they are made one after the other.
    image_turn: Arc<Semaphore>,
    downloads: Arc<Downloads>,
    consents: Flows,
    /// Opened when it is needed first: a manifest server needs no projects.
    store: Mutex<Option<Arc<Store>>>,
    changing_values: Mutex<()>,
}

impl Api {
    /// Does something with the projects, where waiting for the disk keeps nobody else waiting.
    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, WorkspaceError> + Send + 'static,
    ) -> Answer<T> {
        let api = self.clone();
        answer::apart(move || Ok(work(&*api.store()?)?)).await
    }

    /// Holds others off who would read the testing values, and write them changed.
    fn changing_values(&self) -> MutexGuard<'_, ()> {
        self.0.changing_values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> Result<Arc<Store>, WorkspaceError> {
        let mut store = self.0.store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*store {
            return Ok(Arc::clone(store));
        }
        let opened = Arc::new(Store::open(&self.0.data, RunContext::system())?);
        Ok(Arc::clone(store.insert(opened)))
    }
}

/// The Builder's own API; and the address that users come back to from a consent, for which they
/// need nothing but the state that they were sent away with.
pub(super) fn routes(settings: &Settings) -> (Router, Router) {
    let api = Api(Arc::new(Shared {
        data: settings.data.clone(),
        allows_custom_code: settings.allows_custom_code,
        is_trusted: !settings.is_untrusted,
        outside: settings.outside.clone(),
        tests: Tests::default(),
        workshop: Arc::new(settings.workshop.clone()),
        image_turn: Arc::new(Semaphore::new(1)),
        downloads: Arc::new(Downloads::new(settings.data.clone())),
        consents: Flows::default(),
        store: Mutex::new(None),
        changing_values: Mutex::new(()),
    }));
    let project = Router::new()
        .route("/", get(projects::one).patch(projects::rename).delete(projects::delete))
        .route("/draft", axum::routing::put(projects::save))
        .route("/undo", post(projects::undo))
        .route("/redo", post(projects::redo))
        .route("/export", get(versions::export))
        .route("/diff", get(versions::diff))
        .route("/versions", post(versions::publish))
        .route("/versions/{version}", get(versions::one))
        .route("/active", post(versions::activate))
        .route("/revert", post(versions::revert))
        .route("/tests", post(test_reads::start))
        .route("/check", post(commands::check))
        .route("/discover", post(commands::discover))
        .route("/generate", post(commands::generate))
        .route("/image", post(images::build))
        .route("/testing_values", get(testing_values::get).put(testing_values::put))
        .route("/oauth", post(oauth::begin));
    let api_routes = Router::new()
        .route("/session", get(analysis::session))
        .route("/schema", get(analysis::schema))
        .route("/analyze", post(analysis::analyze))
        .route("/locate", post(analysis::locate))
        .route("/edit", post(analysis::edit))
        .route("/yaml", post(analysis::yaml))
        .route("/complete", post(analysis::complete))
        .route("/hover", post(analysis::hover))
        .route("/fix", post(analysis::fix))
        .route("/tests/{test}", axum::routing::delete(test_reads::stop))
        .route("/tests/{test}/skip", post(test_reads::skip))
        .route("/tests/{test}/bodies/{body}", get(test_reads::body))
        .route("/downloads/{download}", get(downloads::one))
        .route("/oauth/{consent}", get(oauth::status))
        .route("/workspaces/{workspace}/projects", get(projects::list).post(projects::create))
        .nest("/workspaces/{workspace}/projects/{project}", project)
        .fallback(async || Failure::not_found("there is no such thing in the Builder's API"))
        .with_state(api.clone());
    let callback = Router::new().route("/oauth/callback", get(oauth::callback)).with_state(api);
    (Router::new().nest("/api", api_routes), callback)
}
