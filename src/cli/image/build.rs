//! `image build`: a connector's image from its manifest.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use jiff::Timestamp;

use crate::cli::manifest::inspect;
use crate::cli::tell;
use crate::http::{Http, Network};
use crate::image::{
    Architecture, Base, Cache, Connector, Executable, Image, ImageError, Reference, Registry, Tree,
    connector_files, find_executable,
};

/// The file that a connector begins with.
const MANIFEST: &str = "manifest.yaml";

/// Makes the image of a connector, without Docker: this program, a shell, and the manifest.
///
/// The manifest is validated first. The same manifest and the same program make the same image, to
/// the byte; its time is `SOURCE_DATE_EPOCH`, or 1970. Logins for registries are those of Docker.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source-declarative-manifest image build manifest.yaml -t airbyte/source-pokeapi:1.0.0 -o pokeapi.tar
  source-declarative-manifest image build . -t ghcr.io/me/source-pokeapi:1.0.0 --push
  source-declarative-manifest image build . -t me/source-pokeapi:1.0.0 --push --binary amd64=sdm-x86_64 --binary arm64=sdm-aarch64 --busybox busybox-x86_64 --busybox busybox-aarch64
  source-declarative-manifest image build . -t me/source-pokeapi:1.0.0 --base ghcr.io/me/runtime:1 --oci layout")]
pub(super) struct Build {
    /// The manifest, or its folder.
    manifest: PathBuf,
    /// The name of the image, with a version: `airbyte/source-NAME:VERSION`.
    #[arg(short, long, value_name = "NAME:VERSION")]
    tag: Reference,
    /// Writes an archive for `docker load`; without any other place, `NAME-VERSION.tar`.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Writes an OCI layout into a folder.
    #[arg(long, value_name = "FOLDER")]
    oci: Option<PathBuf>,
    /// Pushes the image to the registry in its name.
    #[arg(long)]
    push: bool,
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

impl Build {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let Some(version) = self.tag.tag.as_deref().filter(|_| self.tag.digest.is_none()) else {
            bail!("the image needs a version in its name: `-t {}:1.0.0`", self.tag);
        };
        let is_folder = self.manifest.is_dir();
        let manifest = if is_folder { self.manifest.join(MANIFEST) } else { self.manifest.clone() };
        if inspect(&manifest)?.has_errors() {
            bail!("{} cannot run, so no image was made", manifest.display());
        }
        let cache = Cache::new(cache_folder());
        let created = created()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bases = match &self.base {
            Some(base) => runtime.block_on(self.foreign_bases(base, &cache))?,
            None => self.own_bases(created, &cache)?,
        };
        let files = files_of(&manifest)?;
        let connector = Connector { reference: self.tag.clone(), files, created };
        let image = connector.on(bases, &cache);
        let default = format!("{}-{version}.tar", self.tag.title());
        let is_elsewhere = self.oci.is_some() || self.push;
        let archive = self.output.clone().or((!is_elsewhere).then(|| default.into()));
        let mut places = Vec::new();
        if let Some(file) = &archive {
            image.write_archive(file)?;
            let file = file.display();
            places.push((file.to_string(), format!("docker load -i {file}")));
        }
        if let Some(folder) = &self.oci {
            image.write_layout(folder)?;
            let folder = folder.display();
            let next = format!("skopeo copy oci:{folder}:{version} docker://{}", self.tag.full());
            places.push((folder.to_string(), next));
        }
        if self.push {
            let pushed =
                runtime.block_on(async { self.registry(&self.tag)?.push(&image).await })?;
            if let Some(reason) = &pushed.unattached {
                tell(&format!("warning: the bill of materials is not attached: {reason}\n"));
            }
            let place = format!(
                "{} ({} blobs sent, {} there already)",
                self.tag.host, pushed.n_sent, pushed.n_present
            );
            places.push((place, format!("docker run --rm {} spec", self.tag)));
        }
        if self.base.is_none() && !image.has_bill() {
            tell("warning: the image has no bill of materials, as its program brings none\n");
        }
        tell(&summary(&image, &places));
        Ok(ExitCode::SUCCESS)
    }

    async fn foreign_bases(&self, base: &str, cache: &Cache) -> Result<Vec<Base>, ImageError> {
        let path = Path::new(base);
        let is_path = base.starts_with(['.', '/'])
            || path.extension().is_some_and(|extension| extension == "tar");
        if is_path || path.exists() {
            return Base::read(path, cache);
        }
        let reference = base.parse()?;
        Base::pull(&self.registry(&reference)?, cache).await
    }

    fn registry(&self, reference: &Reference) -> Result<Registry, ImageError> {
        let http = Http::new(Arc::new(Network::from_env()));
        Registry::open(reference, &http, &docker_folder(), self.insecure_http)
    }

    /// The programs that were given, or the one that runs, each with a shell for its machine.
    fn own_bases(&self, created: Timestamp, cache: &Cache) -> anyhow::Result<Vec<Base>> {
        let programs = read_all(&self.binary)?;
        let programs = if programs.is_empty() { vec![own_program()?] } else { programs };
        let shells = read_all(&self.busybox)?;
        let mut bases = Vec::with_capacity(programs.len());
        for program in &programs {
            let architecture = program.architecture;
            let given = shells.iter().find(|shell| shell.architecture == architecture).cloned();
            let shell = given.or_else(|| {
                let folders = env::var_os("PATH").unwrap_or_default();
                find_executable("busybox", architecture, env::split_paths(&folders))
            });
            let shell = shell.ok_or(ImageError::NoShell(architecture))?;
            bases.push(Base::own(program, &shell, created, cache));
        }
        Ok(bases)
    }
}

/// Reads programs, at most one for each machine.
fn read_all(given: &[String]) -> Result<Vec<Executable>, ImageError> {
    let mut programs: Vec<Executable> = Vec::with_capacity(given.len());
    for file in given {
        let program = Executable::read(file)?;
        if programs.iter().any(|other| other.architecture == program.architecture) {
            return Err(ImageError::Twice(program.architecture));
        }
        programs.push(program);
    }
    Ok(programs)
}

fn own_program() -> anyhow::Result<Executable> {
    let file = env::current_exe().context("the file of this program cannot be found")?;
    Executable::from_file(&file, None).map_err(|err| match err {
        ImageError::Program { reason, .. } => ImageError::OwnProgram(reason).into(),
        err => err.into(),
    })
}

/// The manifest, and what it may need: schemas and code that lie beside it.
fn files_of(manifest: &Path) -> Result<Tree, ImageError> {
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let read = |file: &Path| {
        fs::read(file).map_err(|reason| ImageError::Read { file: file.to_owned(), reason })
    };
    let mut files = vec![(MANIFEST.to_owned(), read(manifest)?)];
    let code = folder.join("components.py");
    if code.is_file() {
        files.push(("components.py".to_owned(), read(&code)?));
    }
    let mut folders = vec!["schemas".to_owned()];
    while let Some(name) = folders.pop() {
        // A connector need not have any.
        let Ok(entries) = fs::read_dir(folder.join(&name)) else { continue };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), format!("{name}/{}", entry.file_name().display()));
            if path.is_dir() {
                folders.push(name);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.push((name, read(&path)?));
            }
        }
    }
    Ok(connector_files(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone()))))
}

/// One line: what was made, where it is, and what to do with it.
fn summary(image: &Image, places: &[(String, String)]) -> String {
    let machines: Vec<_> = image.architectures().into_iter().map(Architecture::name).collect();
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let megabytes = image.size() as f64 / 1e6;
    let (wheres, nexts): (Vec<_>, Vec<_>) =
        places.iter().map(|(place, next)| (place.as_str(), format!("`{next}`"))).unzip();
    format!(
        "{} ({}) {}, {megabytes:.1} MB, is in {}; next: {}\n",
        image.reference,
        machines.join(", "),
        image.digest(),
        wheres.join(" and "),
        nexts.join(" or "),
    )
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
