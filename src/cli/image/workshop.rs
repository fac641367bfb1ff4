//! What images are made with, as the command line and the environment say.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;

use crate::http::{Http, Network};
use crate::image::{Cache, Workshop};

/// What images are made with.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What images are made of")]
pub(in crate::cli) struct WorkshopArgs {
    /// Builds on an image that has this program already: the folder of an OCI layout, an archive
    /// of `docker save`, or a name in a registry.
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["binary", "busybox"])]
    base: Option<String>,
    /// Puts this program into the image in place of the one that runs; once for each architecture
    /// (amd64, arm64). It must be static.
    #[arg(long, value_name = "[ARCH=]FILE")]
    binary: Vec<String>,
    /// The shell of the image, a static busybox for the same architecture; without it, one on the
    /// PATH.
    #[arg(long, value_name = "[ARCH=]FILE")]
    busybox: Vec<String>,
    /// Speaks plain http to registries; to those of this machine it always does.
    #[arg(long)]
    insecure_http: bool,
}

impl WorkshopArgs {
    /// Finds what lies around; nothing is read or asked yet.
    pub(in crate::cli) fn open(&self) -> anyhow::Result<Workshop> {
        let folders = env::var_os("PATH").unwrap_or_default();
        Ok(Workshop {
            base: self.base.clone(),
            programs: self.binary.clone(),
            shells: self.busybox.clone(),
            folders: env::split_paths(&folders).collect(),
            cache: Cache::new(cache_folder()),
            logins: docker_folder(),
            http: Http::new(Arc::new(Network::from_env())),
            speaks_plain_http: self.insecure_http,
            created: created()?,
        })
    }
}

/// The time of everything in the image.
fn created() -> anyhow::Result<Timestamp> {
    let Ok(text) = env::var("SOURCE_DATE_EPOCH") else { return Ok(Timestamp::UNIX_EPOCH) };
    let seconds = text.parse().ok().filter(|seconds| *seconds >= 0);
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.with_context(|| format!("SOURCE_DATE_EPOCH is `{text}`, which is no number of seconds"))
}

fn folder_in(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

/// Where compressed layers are kept.
fn cache_folder() -> Option<PathBuf> {
    let caches = folder_in("XDG_CACHE_HOME").or(folder_in("HOME").map(|home| home.join(".cache")));
    caches.map(|caches| caches.join(env!("CARGO_PKG_NAME")))
}

/// Where the configuration of Docker is.
fn docker_folder() -> PathBuf {
    let home = || folder_in("HOME").unwrap_or_default().join(".docker");
    folder_in("DOCKER_CONFIG").unwrap_or_else(home)
}
