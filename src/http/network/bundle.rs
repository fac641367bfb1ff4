//! Trust in a bundle of certificates, as OpenSSL has it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// TLS for HTTP/1.1 with servers that `certificates` vouch for.
pub(super) fn trusting(certificates: Vec<CertificateDer<'static>>) -> Result<ClientConfig, String> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = BundleVerifier::new(certificates, Arc::clone(&provider))
        .map_err(|error| error.to_string())?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Trusts certificates as authorities, and each of them where a server shows it itself.
///
/// The latter is what people do with a server that signed its own certificate;
/// such certificates mostly claim to be authorities, which no server's may.
#[derive(Debug)]
struct BundleVerifier {
    authorities: Arc<WebPkiServerVerifier>,
    certificates: Vec<CertificateDer<'static>>,
}

impl BundleVerifier {
    fn new(
        certificates: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let authorities =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self { authorities, certificates })
    }
}

impl ServerCertVerifier for BundleVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // Its dates were right, or there would be another error.
            Err(Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::Other(_),
            )) if self.certificates.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::pem::PemObject;

    use super::*;

    /// Of `localhost`, signed by itself, and claiming to be an authority.
    const SELF_SIGNED: &str = "-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUQCa3S7objDDeIEjk86sNQqyzjLwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE1MDkxMFoYDzIxMjYxMDI5
MTUwOTEwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS2/JsPbJ/vUV6LLcD6VO0Zz05kJmkuXidkjAp/w4IY0yHXehSPihTV
j95WQFHbOjCjc/NEwi5bRClciFtwZtETo2kwZzAdBgNVHQ4EFgQUY8kwa5imnhCl
/fdIfBGCIMjg6XAwHwYDVR0jBBgwFoAUY8kwa5imnhCl/fdIfBGCIMjg6XAwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgHpTCrZov9NsH16HK4SYtHAzuwjwBz0n7Y32zU2FcRzoCIQDZEw2r6wCP
RPEp3E8iLsHSb9wdxjGCmPF0avihWxuvtw==
-----END CERTIFICATE-----";

    /// Of nobody in particular.
    const OTHER: &str = "-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUbJaAaZvnrHUuh20d7gIC0GB9c1MwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTIyMTUwOTEwWhgPMjEyNjEwMjkxNTA5
MTBaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
18SW6jdflpG3WCkQmTejIS52gmsokZGWjruZ+Ptz807IElKH2zy6RMAyt3+whqRL
fXu2MVPR8UHtjeuNrQW+AaNTMFEwHQYDVR0OBBYEFAMG9dQqj9o1u9877jRU4z4S
7dtoMB8GA1UdIwQYMBaAFAMG9dQqj9o1u9877jRU4z4S7dtoMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgOW0/enuEA3GQh2o4cxHomRay9uf7cV00
LGiurABJzkYCIQCvuBTu9QB8Lplzfsh3pT2lgdRkd+2aHmb1nSatDlUVRQ==
-----END CERTIFICATE-----";

    /// Shows `SELF_SIGNED` as `name` in the year `year` to one who trusts `trusted`.
    fn verify(trusted: &str, name: &'static str, year: u64) -> Result<ServerCertVerified, Error> {
        let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = BundleVerifier::new(vec![certificate(trusted)], provider).unwrap();
        let name = ServerName::try_from(name).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_hours((year - 1970) * 8766));
        verifier.verify_server_cert(&certificate(SELF_SIGNED), &[], &name, &[], now)
    }

    #[test]
    fn a_server_may_show_a_certificate_of_the_bundle() {
        verify(SELF_SIGNED, "localhost", 2040).unwrap();
    }

    #[test]
    fn other_names_dates_and_certificates_are_refused() {
        verify(SELF_SIGNED, "example.com", 2040).unwrap_err();
        verify(SELF_SIGNED, "localhost", 2000).unwrap_err();
        verify(SELF_SIGNED, "localhost", 2200).unwrap_err();
        verify(OTHER, "localhost", 2040).unwrap_err();
    }
}
