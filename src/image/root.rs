//! The file system that connectors run in: what the platform asks of an image, and no more.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::executable::Executable;
use super::layer::{Owner, Tree};
use super::sbom;

/// The program of an image. The platform starts it from whatever folder it likes.
pub(super) const ENTRYPOINT: &str = "/usr/local/bin/source-declarative-manifest";
/// Where templates of Airbyte for connectors start, and where the manifest is looked for.
pub(super) const HOME: &str = "/airbyte/integration_code";
/// The file that a connector begins with.
pub const MANIFEST: &str = "manifest.yaml";
/// Where the manifest is.
const CONNECTOR: &str = "airbyte/integration_code/source_declarative_manifest";
/// Where scanners look for what an image is made of.
const SBOM: &str = "var/lib/db/sbom/source-declarative-manifest.cdx.json";

/// What the launch script, Airbyte's templates, and people who look into a pod need.
const APPLETS: [&str; 42] = [
    "[", "ash", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "df", "dirname", "du",
    "echo", "env", "false", "find", "grep", "head", "id", "kill", "ln", "ls", "mkdir", "mv",
    "printf", "ps", "pwd", "rm", "rmdir", "sed", "sh", "sleep", "sort", "stat", "tail", "test",
    "touch", "tr", "true", "uname", "wc", "which",
];
/// What the platform mounts, and what its own images have; the connector may write there.
const FOLDERS: [&str; 10] = [
    "airbyte",
    "airbyte/integration_code",
    "config",
    "custom_cache",
    "dest",
    "local",
    "nonexistent",
    "secrets",
    "source",
    "staging",
];

/// Users, certificates, folders, and tools: a layer that changes with the tools only.
pub(super) fn tools(busybox: &Executable) -> Tree {
    let mut tree = Tree::default();
    for path in ["bin", "etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/bin", "usr/local"] {
        tree.folder(path, Owner::Root, 0o755);
    }
    for path in FOLDERS {
        tree.folder(path, Owner::Airbyte, 0o755);
    }
    tree.folder("root", Owner::Root, 0o700);
    tree.folder("tmp", Owner::Root, 0o1777);
    tree.file(
        "etc/passwd",
        Owner::Root,
        0o644,
        "root:x:0:0:root:/root:/bin/sh\nairbyte:x:1000:1000::/nonexistent:/bin/sh\n",
    );
    tree.file("etc/group", Owner::Root, 0o644, "root:x:0:\nairbyte:x:1000:\n");
    tree.file("etc/ssl/certs/ca-certificates.crt", Owner::Root, 0o644, certificates());
    tree.link("etc/ssl/cert.pem", "certs/ca-certificates.crt");
    tree.file("bin/busybox", Owner::Root, 0o755, busybox.bytes.clone());
    for name in APPLETS {
        tree.link(&format!("bin/{name}"), "busybox");
    }
    tree
}

/// The program, under all the names that images start it by, with its bill of materials.
pub(super) fn program(program: &Executable, bill: Option<&sbom::Bill>) -> Tree {
    let mut tree = Tree::default();
    let path = ENTRYPOINT.trim_start_matches('/');
    tree.folder("usr", Owner::Root, 0o755);
    tree.folder("usr/local", Owner::Root, 0o755);
    tree.folder("usr/local/bin", Owner::Root, 0o755);
    tree.file(path, Owner::Root, 0o755, program.bytes.clone());
    for alias in ["ddtrace-run", "python", "python3"] {
        tree.link(&format!("usr/local/bin/{alias}"), "source-declarative-manifest");
    }
    if let Some(bill) = bill {
        for path in ["var", "var/lib", "var/lib/db", "var/lib/db/sbom"] {
            tree.folder(path, Owner::Root, 0o755);
        }
        tree.file(SBOM, Owner::Root, 0o644, bill.bytes.clone());
    }
    tree
}

/// The connector: `files` by their path from the folder of its manifest.
pub fn connector<'f>(files: impl IntoIterator<Item = (&'f str, Vec<u8>)>) -> Tree {
    let mut tree = Tree::default();
    let mut folder = String::new();
    for part in CONNECTOR.split('/') {
        folder = if folder.is_empty() { part.to_owned() } else { format!("{folder}/{part}") };
        tree.folder(&folder, Owner::Airbyte, 0o755);
    }
    for (path, bytes) in files {
        for (idx, _) in path.match_indices('/') {
            tree.folder(&format!("{CONNECTOR}/{}", &path[..idx]), Owner::Airbyte, 0o755);
        }
        tree.file(&format!("{CONNECTOR}/{path}"), Owner::Airbyte, 0o644, bytes);
    }
    tree
}

/// Mozilla's certificate authorities, as programs and sites that add their own expect them.
fn certificates() -> String {
    let mut pem = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        let text = BASE64_STANDARD.encode(certificate);
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in text.as_bytes().chunks(64) {
            // Base64 is ASCII; writing to a text cannot fail.
            let _ = writeln!(pem, "{}", String::from_utf8_lossy(line));
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn certificates_are_written_as_they_were() {
        let pem = certificates();
        let read = CertificateDer::pem_slice_iter(pem.as_bytes());
        let read: Result<Vec<_>, _> = read.collect();
        assert_eq!(read.unwrap(), webpki_root_certs::TLS_SERVER_ROOT_CERTS);
    }
}
