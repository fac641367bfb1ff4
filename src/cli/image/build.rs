//! `image build`: a connector's image from its manifest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;

use super::workshop::WorkshopArgs;
use crate::cli::manifest::inspect;
use crate::cli::tell;
use crate::image::{Architecture, Image, ImageError, MANIFEST, Reference, Tree, connector_files};

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
    #[command(flatten)]
    workshop: WorkshopArgs,
}

impl Build {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let version = self.tag.version()?;
        let is_folder = self.manifest.is_dir();
        let manifest = if is_folder { self.manifest.join(MANIFEST) } else { self.manifest.clone() };
        if inspect(&manifest)?.has_errors() {
            bail!("{} cannot run, so no image was made", manifest.display());
        }
        let workshop = self.workshop.open()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let image = runtime.block_on(workshop.build(&self.tag, files_of(&manifest)?))?;
        let is_elsewhere = self.oci.is_some() || self.push;
        let default = || self.tag.archive_name().into();
        let archive = self.output.clone().or_else(|| (!is_elsewhere).then(default));
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
            let registry = workshop.registry(&self.tag)?;
            let pushed = runtime.block_on(registry.push(&image))?;
            if let Some(reason) = &pushed.unattached {
                tell(&format!("warning: the bill of materials is not attached: {reason}\n"));
            }
            let place = format!(
                "{} ({} blobs sent, {} there already)",
                self.tag.host, pushed.n_sent, pushed.n_present
            );
            places.push((place, format!("docker run --rm {} spec", self.tag)));
        }
        if workshop.base.is_none() && !image.has_bill() {
            tell("warning: the image has no bill of materials, as its program brings none\n");
        }
        tell(&summary(&image, &places));
        Ok(ExitCode::SUCCESS)
    }
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
