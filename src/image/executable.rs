//! Programs that go into an image: for which machine they are, and whether they run alone.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::error::{ImageError, read};
use super::platform::Architecture;

/// A program that needs nothing but a Linux kernel.
#[derive(Clone, Debug)]
pub struct Executable {
    /// The machine it is for.
    pub architecture: Architecture,
    /// The file.
    pub bytes: Bytes,
}

/// Why a file cannot be a program of an image.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStandalone {
    /// It is no ELF file of 64 bits.
    #[error("it is no Linux program for a 64-bit machine")]
    NoProgram,
    /// No image is made for its machine.
    #[error("it is for a machine that is neither amd64 nor arm64")]
    Machine,
    /// It is for another machine than it was given for.
    #[error("it was given for {wanted}, but is for {found}")]
    OtherMachine {
        /// What it was given for.
        wanted: Architecture,
        /// What it is for.
        found: Architecture,
    },
    /// It needs a loader and the libraries of the machine it was built on.
    #[error("it is linked to libraries that the image does not have, and needs {0} to start")]
    Dynamic(String),
}

impl Executable {
    /// Reads a program, given as `FILE` or as `ARCHITECTURE=FILE`.
    pub fn read(given: &str) -> Result<Self, ImageError> {
        let (wanted, file) = match given.split_once('=') {
            Some((name, file)) if let Ok(architecture) = name.parse() => (Some(architecture), file),
            _ => (None, given),
        };
        Self::from_file(Path::new(file), wanted)
    }

    /// Reads a program that is for the machine `wanted`, if that is given.
    pub fn from_file(file: &Path, wanted: Option<Architecture>) -> Result<Self, ImageError> {
        let program = Self::new(read(file)?.into(), wanted);
        program.map_err(|reason| ImageError::Program { file: file.to_owned(), reason })
    }

    fn new(bytes: Bytes, wanted: Option<Architecture>) -> Result<Self, NotStandalone> {
        let found = machine(&bytes)?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            return Err(NotStandalone::OtherMachine { wanted, found });
        }
        match loader(&bytes) {
            Some(loader) => Err(NotStandalone::Dynamic(loader)),
            None => Ok(Self { architecture: found, bytes }),
        }
    }
}

/// The first program called `name` in `folders` that could be part of an image for `architecture`.
pub(super) fn find(
    name: &str,
    architecture: Architecture,
    folders: impl IntoIterator<Item = PathBuf>,
) -> Option<Executable> {
    folders.into_iter().find_map(|folder| {
        let file = folder.join(name);
        file.is_file().then(|| Executable::from_file(&file, Some(architecture)).ok()).flatten()
    })
}

/// The machine that a program is for: the fields of an ELF header, least byte first.
fn machine(elf: &[u8]) -> Result<Architecture, NotStandalone> {
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return Err(NotStandalone::NoProgram);
    }
    match number(elf, 18, 2) {
        Some(62) => Ok(Architecture::Amd64),
        Some(183) => Ok(Architecture::Arm64),
        Some(_) => Err(NotStandalone::Machine),
        None => Err(NotStandalone::NoProgram),
    }
}

/// The loader that a program asks the kernel for (`PT_INTERP`); a static one asks for none.
fn loader(elf: &[u8]) -> Option<String> {
    const PT_INTERP: usize = 3;
    let (table, entry_len, n_entries) =
        (number(elf, 32, 8)?, number(elf, 54, 2)?, number(elf, 56, 2)?);
    (0..n_entries).find_map(|idx| {
        let entry = elf.get(table.checked_add(idx * entry_len)?..)?;
        if number(entry, 0, 4)? != PT_INTERP {
            return None;
        }
        let (start, len) = (number(entry, 8, 8)?, number(entry, 32, 8)?);
        let name = elf.get(start..start.checked_add(len)?)?;
        Some(String::from_utf8_lossy(name).trim_end_matches('\0').to_owned())
    })
}

/// The number of `len` bytes at `start`, least byte first.
fn number(bytes: &[u8], start: usize, len: usize) -> Option<usize> {
    let bytes = bytes.get(start..start + len)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The least that counts as a program: a header, and a loader's name if there is one.
    pub(in crate::image) fn elf(machine: u8, loader: Option<&str>) -> Vec<u8> {
        let mut elf = vec![0; 64 + 56];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (elf[18], elf[32], elf[54], elf[56]) = (machine, 64, 56, 1);
        elf[64] = 1;
        if let Some(loader) = loader {
            let len = u8::try_from(loader.len() + 1).unwrap();
            (elf[64], elf[72], elf[96]) = (3, 120, len);
            elf.extend_from_slice(loader.as_bytes());
            elf.push(0);
        }
        elf
    }

    #[track_caller]
    fn check(elf: Vec<u8>, wanted: Option<Architecture>, expect: Result<Architecture, &str>) {
        let found = Executable::new(elf.into(), wanted).map(|program| program.architecture);
        assert_eq!(found.map_err(|reason| reason.to_string()), expect.map_err(str::to_owned));
    }

    #[test]
    fn programs_are_told_by_their_machine() {
        check(elf(62, None), None, Ok(Architecture::Amd64));
        check(elf(183, None), Some(Architecture::Arm64), Ok(Architecture::Arm64));
        check(
            elf(183, None),
            Some(Architecture::Amd64),
            Err("it was given for amd64, but is for arm64"),
        );
        check(elf(8, None), None, Err("it is for a machine that is neither amd64 nor arm64"));
    }

    #[test]
    fn programs_that_need_libraries_are_refused() {
        let expect = "it is linked to libraries that the image does not have, and needs \
                      /lib64/ld-linux-x86-64.so.2 to start";
        check(elf(62, Some("/lib64/ld-linux-x86-64.so.2")), None, Err(expect));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let expect = "it is no Linux program for a 64-bit machine";
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF\x02\x01", b"\x7fELF\x01\x01"] {
            check(bytes.to_vec(), None, Err(expect));
        }
    }

    #[test]
    fn a_broken_program_is_no_panic() {
        let whole = elf(62, Some("/lib/ld"));
        for len in 0..whole.len() {
            let _ = Executable::new(whole[..len].to_vec().into(), None);
        }
        let mut far = elf(62, None);
        far[32..40].fill(0xff);
        check(far, None, Ok(Architecture::Amd64));
    }
}
