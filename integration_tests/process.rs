//! What the kernel tells of a running process.

use std::fs;
use std::process::Child;

/// The most memory that it has taken so far, in KiB.
pub(crate) fn peak_kib(child: &Child) -> Option<u64> {
    status(child, "VmHWM:")
}

/// A number of its status, in KiB where it is one of memory.
pub(crate) fn status(child: &Child, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let value = status.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}

/// How many files and sockets it has open.
pub(crate) fn n_open(child: &Child) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{}/fd", child.id())).ok()?.count())
}
