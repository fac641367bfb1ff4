//! Where images are made: what a machine has for them, and what it may reach.

use std::env;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::base::Base;
use super::cache::Cache;
use super::error::ImageError;
use super::executable::{Executable, find};
use super::image::{Connector, Image};
use super::layer::Tree;
use super::reference::Reference;
use super::registry::Registry;
use crate::http::Http;

/// What images of connectors are made with.
#[derive(Clone, Debug)]
pub struct Workshop {
    /// An image to build on, which has everything but the connector: a folder, an archive, or a
    /// name in a registry. Without it, a program and a shell are laid for each machine.
    pub base: Option<String>,
    /// Programs, each as `[ARCHITECTURE=]FILE`; without any, the one that runs.
    pub programs: Vec<String>,
    /// Shells for them, given in the same way; without one, the first that is found.
    pub shells: Vec<String>,
    /// Where shells are looked for.
    pub folders: Vec<PathBuf>,
    /// What was compressed and fetched before.
    pub cache: Cache,
    /// The folder with the configuration of Docker, and so with the logins for registries.
    pub logins: PathBuf,
    /// The way to registries.
    pub http: Http,
    /// Whether plain http is spoken also to registries of other machines.
    pub speaks_plain_http: bool,
    /// The time of everything in an image.
    pub created: Timestamp,
}

impl Workshop {
    /// The image `reference` of a connector with these files, as [`super::connector_files`] lays
    /// them. Reads files and compresses: that may take seconds, in which the thread is busy.
    pub async fn build(&self, reference: &Reference, files: Tree) -> Result<Image, ImageError> {
        reference.version()?;
        let bases = match &self.base {
            Some(base) => self.foreign_bases(base).await?,
            None => self.own_bases()?,
        };
        let connector = Connector { reference: reference.clone(), files, created: self.created };
        Ok(connector.on(bases, &self.cache))
    }

    /// The registry of `reference`, with the login for it.
    pub fn registry(&self, reference: &Reference) -> Result<Registry, ImageError> {
        Registry::open(reference, &self.http, &self.logins, self.speaks_plain_http)
    }

    async fn foreign_bases(&self, base: &str) -> Result<Vec<Base>, ImageError> {
        let path = Path::new(base);
        let is_path = base.starts_with(['.', '/'])
            || path.extension().is_some_and(|extension| extension == "tar");
        if is_path || path.exists() {
            return Base::read(path, &self.cache);
        }
        let reference = base.parse()?;
        Base::pull(&self.registry(&reference)?, &self.cache).await
    }

    /// The programs that were given, or the one that runs, each with a shell for its machine.
    fn own_bases(&self) -> Result<Vec<Base>, ImageError> {
        let programs = read_all(&self.programs)?;
        let programs = if programs.is_empty() { vec![own_program()?] } else { programs };
        let shells = read_all(&self.shells)?;
        let base = |program: &Executable| {
            let architecture = program.architecture;
            let given = shells.iter().find(|shell| shell.architecture == architecture).cloned();
            let shell = given
                .or_else(|| find("busybox", architecture, self.folders.iter().cloned()))
                .ok_or(ImageError::NoShell(architecture))?;
            Ok(Base::own(program, &shell, self.created, &self.cache))
        };
        programs.iter().map(base).collect()
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

fn own_program() -> Result<Executable, ImageError> {
    let file = env::current_exe()
        .map_err(|reason| ImageError::Read { file: "the program that runs".into(), reason })?;
    Executable::from_file(&file, None).map_err(|err| match err {
        ImageError::Program { reason, .. } => ImageError::OwnProgram(reason),
        err => err,
    })
}
