//! The keys that tokens are signed with.

use std::borrow::Cow;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair};
use aws_lc_rs::signature::{RsaEncoding, RsaKeyPair};
use aws_lc_rs::{error::KeyRejected, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};

use crate::components::ReadError;

use super::jwt::JwtAlgorithm;

/// What a token is signed with.
pub(super) enum SigningKey {
    /// A secret, or a private key in PEM form.
    Text(String),
    /// A private key, out of its armour.
    Pkcs8(SecretDocument),
}

impl SigningKey {
    /// The private key that is encrypted with `passphrase` in the PEM text `key`.
    pub(super) fn decrypt(key: &str, passphrase: &str) -> Result<Self, ReadError> {
        let Pem { label, der } = Pem::parse(key)?;
        if label != "ENCRYPTED PRIVATE KEY" {
            return Err(ReadError::value(format!(
                "Password was given but `{label}` is not a private key that it could open."
            )));
        }
        let key = EncryptedPrivateKeyInfoRef::try_from(&*der)
            .and_then(|encrypted| encrypted.decrypt(passphrase));
        key.map(Self::Pkcs8)
            .map_err(|error| ReadError::value(format!("the private key cannot be opened: {error}")))
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
                let Pem { der, .. } = self.pem()?;
                let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(rejected)?;
                Ok(key.sign(message).as_ref().to_vec())
            }
        }
    }

    fn hmac(&self, algorithm: hmac::Algorithm, message: &[u8]) -> Result<Vec<u8>, ReadError> {
        match self {
            Self::Text(secret) if secret.is_empty() => {
                Err(ReadError::value("HMAC key must not be empty."))
            }
            Self::Text(secret) if !secret.contains("-----BEGIN ") => {
                let key = hmac::Key::new(algorithm, secret.as_bytes());
                Ok(hmac::sign(&key, message).as_ref().to_vec())
            }
            _ => Err(ReadError::value(
                "The specified key is an asymmetric key or x509 certificate and should not be used \
                 as an HMAC secret.",
            )),
        }
    }

    fn rsa(
        &self,
        encoding: &'static dyn RsaEncoding,
        message: &[u8],
    ) -> Result<Vec<u8>, ReadError> {
        let Pem { label, der } = self.pem()?;
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
            EcdsaKeyPair::from_private_key_der(algorithm, &self.pem()?.der).map_err(rejected)?;
        Ok(key.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec())
    }

    fn pem(&self) -> Result<Pem<'_>, ReadError> {
        match self {
            Self::Text(text) => Pem::parse(text),
            Self::Pkcs8(key) => {
                Ok(Pem { label: "PRIVATE KEY", der: Cow::Borrowed(key.as_bytes()) })
            }
        }
    }
}

/// A key, and what kind of key it is.
struct Pem<'k> {
    label: &'k str,
    der: Cow<'k, [u8]>,
}

impl<'k> Pem<'k> {
    /// Takes a key out of its armour.
    fn parse(text: &'k str) -> Result<Self, ReadError> {
        let parts = || {
            let (_, text) = text.split_once("-----BEGIN ")?;
            let (label, text) = text.split_once("-----")?;
            let (body, _) = text.split_once("-----END ")?;
            // Keys that were copied out of JSON have the line breaks of JSON.
            let body: String = body.replace("\\n", "").split_whitespace().collect();
            Some(Self { label, der: Cow::Owned(STANDARD.decode(body).ok()?) })
        };
        parts().ok_or_else(|| {
            ReadError::value("Could not deserialize key data: it is no private key in PEM form.")
        })
    }
}

fn rejected(error: KeyRejected) -> ReadError {
    ReadError::value(format!("Could not deserialize key data: {error}"))
}

fn failed(_: aws_lc_rs::error::Unspecified) -> ReadError {
    ReadError::value("the key cannot sign")
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{KeyPair, UnparsedPublicKey, VerificationAlgorithm};

    use super::*;

    const P256: &str = "\
        -----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEICQyC47zDM9vqCBlYRzvHu7pj1RKyPIS983RVdh+hDL/oAoGCCqGSM49\n\
        AwEHoUQDQgAEbPfuJBYElpFtAL3dCHXBOtS6asH7+wnME5QNr8YYJQ8UY6AcQEsu\n\
        Zq28aghUziOwjjKR+iFLqHp1QRMjLSkrzw==\n\
        -----END EC PRIVATE KEY-----\n";
    const P521: &str = "\
        -----BEGIN PRIVATE KEY-----\n\
        MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIA4ElOS1IKuyJN/5mo\n\
        xECuyk6ULITwxaWZOuZ2HOYfYmRi0WxmfmKku6Px2GX+NpnDm9sfx4Ta/h18sjkf\n\
        aSkzjRGhgYkDgYYABACJmbazKrwuQa7FWLuNyertJJuJBh+Saj0fkZG1IUGiUHpP\n\
        tQez2b0idz3PPSsQfzCY7VyHlLs7yH+ykRd1nCBNTgCTQOqlltUYtoPQcpvSXjx0\n\
        0/avXPN1ZwvFXkXzFJDow+FhyctK/ul9pMSjLiiNeIPnvF71XGRXRDsgXVnoF1d3\n\
        Bg==\n\
        -----END PRIVATE KEY-----\n";
    const SECP256K1: &str = "\
        -----BEGIN EC PRIVATE KEY-----\n\
        MHQCAQEEIA2adihmyandTJ8iSejhigwSGtCbVaoz/OPKxtXuzov2oAcGBSuBBAAK\n\
        oUQDQgAEZkI6SEQoFIJVTbu6GaT37COa5ZVFyh0hNU1Ytc+hr+/c1mlViTQk1BAs\n\
        fH9h7K/iB7KEOOso4Qp5Voxbfe80wA==\n\
        -----END EC PRIVATE KEY-----\n";
    /// A key on P-256, encrypted with `pass`, and without that.
    const ENCRYPTED: &str = "\
        -----BEGIN ENCRYPTED PRIVATE KEY-----\n\
        MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBChUUC69RXvG+73HOih\n\
        5ul0AgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQRRpK0Y+wSCdvuYZD\n\
        StwdewSBkK5yqOaPbS9kh1i+A0eFvWpaD/oVQVpPflTJRPY3KAHoxqNSIhBAm4Bj\n\
        EOx35i/4DgcqlLKNudH0sgVJjewCpYzLYZqCgrQK+UsSvIG4uuPKuI35lQj2H41Y\n\
        Rwtc6VqFXDz0zznjM6vuyJ0h1Fy3Nn/P/0m7SgO5N26aWpEpuTcc1GxX1MkV+5iS\n\
        Pn7cHI/jqA==\n\
        -----END ENCRYPTED PRIVATE KEY-----\n";
    const DECRYPTED: &str = "\
        -----BEGIN PRIVATE KEY-----\n\
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0UBBdTQYWmiF297h\n\
        j1QDiT8N5yW2IgftO+V9deW6Md+hRANCAASy8+rOiSDoX70ezFjt98XGRorX6cX4\n\
        Vq5rqtJs66PyEz0ghm6f4mpTGOUD/0L2xIBGcuW9osxqMPWjr5/kaRqy\n\
        -----END PRIVATE KEY-----\n";

    /// Signatures of this kind differ each time; the public half of the key knows them.
    #[track_caller]
    fn check(
        key: &SigningKey,
        algorithm: JwtAlgorithm,
        signing: &'static EcdsaSigningAlgorithm,
        verification: &'static dyn VerificationAlgorithm,
    ) {
        let signature = key.sign(algorithm, b"message").unwrap();
        let pem = key.pem().unwrap();
        let pair = EcdsaKeyPair::from_private_key_der(signing, &pem.der).unwrap();
        let public = UnparsedPublicKey::new(verification, pair.public_key().as_ref());
        public.verify(b"message", &signature).unwrap();
    }

    #[test]
    fn elliptic_curves_sign() {
        use signature::{
            ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_FIXED,
            ECDSA_P256K1_SHA256_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED,
            ECDSA_P521_SHA512_FIXED_SIGNING,
        };
        let key = |text: &str| SigningKey::Text(text.to_owned());
        let p256 = (&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P256_SHA256_FIXED);
        check(&key(P256), JwtAlgorithm::Es256, p256.0, p256.1);
        check(&key(&P256.replace('\n', "\\n")), JwtAlgorithm::Es256, p256.0, p256.1);
        let (signing, verification) = (&ECDSA_P521_SHA512_FIXED_SIGNING, &ECDSA_P521_SHA512_FIXED);
        check(&key(P521), JwtAlgorithm::Es512, signing, verification);
        let secp256k1 = (&ECDSA_P256K1_SHA256_FIXED_SIGNING, &ECDSA_P256K1_SHA256_FIXED);
        check(&key(SECP256K1), JwtAlgorithm::Es256k, secp256k1.0, secp256k1.1);
        let encrypted = SigningKey::decrypt(ENCRYPTED, "pass").unwrap();
        check(&encrypted, JwtAlgorithm::Es256, p256.0, p256.1);
    }

    #[test]
    fn a_passphrase_opens_a_key() {
        let opened = SigningKey::decrypt(ENCRYPTED, "pass").unwrap();
        assert_eq!(opened.pem().unwrap().der, Pem::parse(DECRYPTED).unwrap().der);
        assert!(SigningKey::decrypt(ENCRYPTED, "fail").is_err());
        assert!(SigningKey::decrypt(DECRYPTED, "pass").is_err());
    }

    #[track_caller]
    fn check_refused(key: &str, algorithm: JwtAlgorithm) {
        assert!(SigningKey::Text(key.to_owned()).sign(algorithm, b"message").is_err());
    }

    #[test]
    fn keys_of_another_kind_are_refused() {
        check_refused("", JwtAlgorithm::Hs256);
        check_refused(P256, JwtAlgorithm::Hs256);
        check_refused(P256, JwtAlgorithm::Rs256);
        check_refused(P256, JwtAlgorithm::Es384);
        check_refused("secret", JwtAlgorithm::EdDsa);
    }
}
