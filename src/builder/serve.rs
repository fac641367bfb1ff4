//! The listening socket of the Builder: the one file that may open one.

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use futures::FutureExt;
use tokio::net::TcpListener;
use tracing::error;

use super::guard::{self, Access, Guard};
use super::outside::Outside;
use super::{api, manifest_server, ui};
use crate::image::Workshop;
use crate::run::{Clock, RunContext, SystemClock};
use crate::value::Secret;

/// Manifests of a few MiB come with bodies of components and states around them.
const LONGEST_BODY: usize = 256 << 20;
/// How long answers that are being given may take once the end was asked for.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// What the server is started with.
#[derive(Debug)]
pub struct Settings {
    /// The network and the clock of all that is run.
    pub outside: Outside,
    /// Where projects are kept.
    pub data: PathBuf,
    /// What images of connectors are made with.
    pub workshop: Workshop,
    /// What the tokens of the manifest server's clients are signed with; without it all are let in.
    pub token_secret: Option<Secret>,
    /// Whether manifests may bring their own code along.
    pub allows_custom_code: bool,
    /// What users of the Builder have to know where it is bound for others; made unless given.
    pub access_token: Option<Secret>,
    /// Whether those who use the Builder are kept from the network around it.
    pub is_untrusted: bool,
}

/// A server that is bound and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    routes: Router,
    token: Option<Secret>,
}

impl Server {
    /// Binds `address` (`HOST:PORT`); port 0 takes any that is free.
    pub async fn bind(address: &str, settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let token = if listener.local_addr()?.ip().is_loopback() {
            None
        } else {
            let made = || RunContext::system().uuid().simple().to_string().into();
            Some(settings.access_token.clone().unwrap_or_else(made))
        };
        Ok(Self { listener, routes: routes(&settings, token.as_ref()), token })
    }

    /// What the users of the Builder need to know, as it is bound where others can reach it.
    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// Where it is bound.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `end` completes, and a little longer for what is being answered then.
    pub async fn run(self, end: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let end = end.shared();
        // What happens during a test read is told in small pieces, which must not wait for more.
        let listener = self.listener.tap_io(|connection| _ = connection.set_nodelay(true));
        let server = axum::serve(listener, self.routes);
        let answers = server.with_graceful_shutdown(end.clone()).into_future();
        let patience = async {
            end.await;
            SystemClock.sleep(LAST_ANSWERS).await;
        };
        tokio::select! {
            served = answers => served,
            () = patience => Ok(()),
        }
    }
}

/// All that is answered, of all parts.
fn routes(settings: &Settings, token: Option<&Secret>) -> Router {
    let access = token.map_or(Access::Loopback, |token| Access::Token(token.clone()));
    let guard = Guard::new(access);
    let (api, callback) = api::routes(settings);
    let pages = ui::routes().merge(api);
    manifest_server::routes(settings)
        .merge(callback)
        .merge(pages.layer(middleware::from_fn_with_state(guard.clone(), guard::admit)))
        .layer(middleware::from_fn_with_state(guard, guard::keep_foreigners_out))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn(survive))
}

/// Answers 500 where a request meets a fault of ours; the others do not notice.
async fn survive(request: Request, next: Next) -> Response {
    let place = format!("{} {}", request.method(), request.uri().path());
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|panic| {
        error!("{place} met a fault of this program: {}", panic_text(&*panic));
        (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("unknown")
}
