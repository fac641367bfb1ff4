//! The keys that tokens are signed with.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair};
use aws_lc_rs::signature::{RsaEncoding, RsaKeyPair};
use aws_lc_rs::{error::KeyRejected, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::components::ReadError;

use super::jwt::JwtAlgorithm;

/// A secret, or a private key in PEM form.
pub(super) struct SigningKey(String);

impl SigningKey {
    pub(super) fn new(key: &str) -> Self {
        Self(key.to_owned())
    }

    /// The signature of `message`.
    pub(super) fn sign(
        &self,
        algorithm: JwtAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, ReadError> {
        use JwtAlgorithm as Algorithm;
        match algorithm {
            Algorithm::Hs256 => self.hmac(hmac::HMAC_SHA256, message),
            Algorithm::Hs384 => self.hmac(hmac::HMAC_SHA384, message),
            Algorithm::Hs512 => self.hmac(hmac::HMAC_SHA512, message),
            Algorithm::Rs256 => self.rsa(&signature::RSA_PKCS1_SHA256, message),
            Algorithm::Rs384 => self.rsa(&signature::RSA_PKCS1_SHA384, message),
            Algorithm::Rs512 => self.rsa(&signature::RSA_PKCS1_SHA512, message),
            Algorithm::Ps256 => self.rsa(&signature::RSA_PSS_SHA256, message),
            Algorithm::Ps384 => self.rsa(&signature::RSA_PSS_SHA384, message),
            Algorithm::Ps512 => self.rsa(&signature::RSA_PSS_SHA512, message),
            Algorithm::Es256 => self.ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, message),
            Algorithm::Es256k => self.ecdsa(&signature::ECDSA_P256K1_SHA256_FIXED_SIGNING, message),
            Algorithm::Es384 => self.ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, message),
            Algorithm::Es512 => self.ecdsa(&signature::ECDSA_P521_SHA512_FIXED_SIGNING, message),
            Algorithm::EdDsa => {
                let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&self.der()?.der);
                Ok(key.map_err(rejected)?.sign(message).as_ref().to_vec())
            }
        }
    }

    fn hmac(&self, algorithm: hmac::Algorithm, message: &[u8]) -> Result<Vec<u8>, ReadError> {
        if self.0.is_empty() {
            return Err(ReadError::value("HMAC key must not be empty."));
        }
        if self.0.contains("-----BEGIN ") {
            return Err(ReadError::value(
                "The specified key is an asymmetric key or x509 certificate and should not be used \
                 as an HMAC secret.",
            ));
        }
        let key = hmac::Key::new(algorithm, self.0.as_bytes());
        Ok(hmac::sign(&key, message).as_ref().to_vec())
    }

    fn rsa(
        &self,
        encoding: &'static dyn RsaEncoding,
        message: &[u8],
    ) -> Result<Vec<u8>, ReadError> {
        let Pem { label, der } = self.der()?;
        let key = match label {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
            _ => RsaKeyPair::from_pkcs8(&der),
        };
        let key = key.map_err(rejected)?;
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
        Ok(signature)
    }

    fn ecdsa(
        &self,
        algorithm: &'static EcdsaSigningAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, ReadError> {
        let key =
            EcdsaKeyPair::from_private_key_der(algorithm, &self.der()?.der).map_err(rejected)?;
        Ok(key.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec())
    }

    fn der(&self) -> Result<Pem<'_>, ReadError> {
        Pem::parse(&self.0).ok_or_else(|| {
            ReadError::value("Could not deserialize key data: it is no private key in PEM form.")
        })
    }
}

/// A key in its armour.
struct Pem<'k> {
    label: &'k str,
    der: Vec<u8>,
}

impl<'k> Pem<'k> {
    fn parse(text: &'k str) -> Option<Self> {
        let (_, text) = text.split_once("-----BEGIN ")?;
        let (label, text) = text.split_once("-----")?;
        let (body, _) = text.split_once("-----END ")?;
        // Keys that were copied out of JSON have the line breaks of JSON.
        let body: String = body.replace("\\n", "").split_whitespace().collect();
        Some(Self { label, der: STANDARD.decode(body).ok()? })
    }
}

fn rejected(error: KeyRejected) -> ReadError {
    ReadError::value(format!("Could not deserialize key data: {error}"))
}

fn failed(_: aws_lc_rs::error::Unspecified) -> ReadError {
    ReadError::value("the key cannot sign")
}
