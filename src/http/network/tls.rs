//! Which certificate authorities are trusted.

use std::path::{Path, PathBuf};
use std::{fs, io};

use reqwest::{Certificate, Client, ClientBuilder};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tracing::warn;

use super::super::error::{ErrorKind, HttpError};
use super::bundle;

/// The certificate authorities that a run trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those of the system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`; those of
    /// Mozilla where there are none.
    #[default]
    System,
    /// Only those of a file or folder.
    Bundle(PathBuf),
}

impl Roots {
    /// What an environment asks for; of two variables the first counts.
    pub(super) fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        let bundle = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
            .into_iter()
            .find_map(|name| var(name).filter(|path| !path.is_empty()));
        bundle.map_or(Self::System, |path| Self::Bundle(path.into()))
    }

    /// Builds a client that trusts them; certificates are read now.
    pub(super) fn client(&self, builder: impl Fn() -> ClientBuilder) -> Result<Client, HttpError> {
        let built = match self {
            Self::System => builder().build().or_else(|error| {
                warn!(%error, "The system has no certificate authorities; using those of Mozilla.");
                let certificates: Result<Vec<_>, _> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
                    .iter()
                    .map(|certificate| Certificate::from_der(certificate))
                    .collect();
                builder().tls_certs_only(certificates?).build()
            }),
            Self::Bundle(path) => {
                let certificates = read_bundle(path).map_err(|error| {
                    let message = format!(
                        "Could not find a suitable TLS CA certificate bundle, invalid path: {}",
                        path.display()
                    );
                    warn!(%error, "{message}");
                    HttpError::new(ErrorKind::Os, message)
                })?;
                let tls = bundle::trusting(certificates)
                    .map_err(|reason| HttpError::new(ErrorKind::Ssl, reason))?;
                builder().tls_backend_preconfigured(tls).build()
            }
        };
        built.map_err(|error| HttpError::new(ErrorKind::Ssl, error.to_string()))
    }
}

/// The certificates of a PEM file, or of all files of a folder.
fn read_bundle(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    if !path.is_dir() {
        let certificates: Result<_, _> = CertificateDer::pem_slice_iter(&fs::read(path)?).collect();
        return certificates.map_err(io::Error::other);
    }
    let mut certificates = Vec::new();
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        if path.is_file() {
            // Such folders may hold other files too.
            certificates.extend(CertificateDer::pem_slice_iter(&fs::read(path)?).flatten());
        }
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(env: &[(&str, &str)], expect: &Roots) {
        let roots = Roots::from_env(|name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(roots, *expect);
    }

    #[test]
    fn the_environment_may_name_a_bundle() {
        check(&[], &Roots::System);
        check(&[("REQUESTS_CA_BUNDLE", ""), ("CURL_CA_BUNDLE", "/b")], &Roots::Bundle("/b".into()));
        check(
            &[("REQUESTS_CA_BUNDLE", "/a"), ("CURL_CA_BUNDLE", "/b")],
            &Roots::Bundle("/a".into()),
        );
    }

    #[test]
    fn a_bundle_that_is_not_there_is_an_error() {
        let error = Roots::Bundle("/nowhere".into()).client(ClientBuilder::new).unwrap_err();
        let expect = "Could not find a suitable TLS CA certificate bundle, invalid path: /nowhere";
        assert_eq!(error, HttpError::new(ErrorKind::Os, expect));
    }
}
