//! `builder`: the Connector Builder, and the API that a platform asks for its own.

use std::env;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use futures::future;
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::image::WorkshopArgs;
use super::limits::LimitArgs;
use super::{inputs, tell};
use crate::builder::outside::Outside;
use crate::builder::serve::{Server, Settings};

/// Serves the Connector Builder, and the API of `airbyte/manifest-server`.
///
/// Ends with SIGINT or SIGTERM, when what is being answered then has been answered.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source-declarative-manifest builder
  source-declarative-manifest builder --bind 0.0.0.0:8080 --data /data")]
pub(super) struct Builder {
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    bind: String,
    /// The folder where projects are kept; one in the home folder unless given.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keeps those who use the Builder from the network around it: what they test reaches public
    /// addresses only, over HTTPS.
    #[arg(long)]
    untrusted: bool,
    /// Begins every run at this moment; waiting moves its clock on and takes no time. For tests.
    #[arg(long, value_name = "TIME", hide = true)]
    clock: Option<Timestamp>,
    #[command(flatten)]
    workshop: WorkshopArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Builder {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let outside = Outside::from_env(self.limits.limits(), self.clock);
        let settings = Settings {
            outside: if self.untrusted { outside.public_only() } else { outside },
            data: self.data.clone().unwrap_or_else(default_data),
            workshop: self.workshop.open()?,
            token_secret: env::var("AB_JWT_SIGNATURE_SECRET").ok().map(Into::into),
            allows_custom_code: inputs::permits_custom_code(),
            access_token: env::var("SDM_BUILDER_TOKEN").ok().map(Into::into),
            is_untrusted: self.untrusted,
        };
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.enable_all().build().context("the runtime cannot be started")?;
        let outcome = runtime.block_on(self.serve(settings));
        // What still runs is of no use any more.
        runtime.shutdown_background();
        outcome.map(|()| ExitCode::SUCCESS)
    }

    async fn serve(&self, settings: Settings) -> anyhow::Result<()> {
        let server = Server::bind(&self.bind, settings).await;
        let server = server.with_context(|| format!("cannot listen at {}", self.bind))?;
        let end = end().context("signals cannot be waited for")?;
        let token = server.token().map(|token| format!("/?token={}", token.expose()));
        let address = format!("http://{}{}", server.address()?, token.unwrap_or_default());
        tell(&format!("The Connector Builder listens at {address}\n"));
        Ok(server.run(end).await?)
    }
}

/// Where data of users is kept by custom.
pub(super) fn default_data() -> PathBuf {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local/share"));
    let folder = absolute("XDG_DATA_HOME").or_else(home).unwrap_or_else(env::temp_dir);
    folder.join("source-declarative-manifest")
}

/// Completes when the program is asked to end.
fn end() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        future::select(Box::pin(interrupt.recv()), Box::pin(terminate.recv())).await;
    })
}
