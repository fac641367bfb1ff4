//! `JwtAuthenticator`: a token that is signed anew for each request.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::future::{self, BoxFuture, FutureExt};

use crate::components::shape::{Templated, Text, choice, shape};
use crate::components::{
    Authenticator, BuildContext, BuildError, Component, InjectInto, ReadError, RequestOption,
    Surroundings,
};
use crate::template::{EvalError, Function, InterpolatedMapping, InterpolatedString, Scope};
use crate::value::{Json, Map, PythonJson, is_truthy};

use super::eval_mapping;
use super::inject::InjectedToken;
use super::jwt_key::SigningKey;
use super::token::TokenSource;

choice! {
    /// How a token is signed.
    pub enum JwtAlgorithm {
        /// HMAC with SHA-256.
        Hs256 = "HS256",
        /// HMAC with SHA-384.
        Hs384 = "HS384",
        /// HMAC with SHA-512.
        Hs512 = "HS512",
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// ECDSA on secp256k1 with SHA-256.
        Es256k = "ES256K",
        /// ECDSA on P-384 with SHA-384.
        Es384 = "ES384",
        /// ECDSA on P-521 with SHA-512.
        Es512 = "ES512",
        /// RSA with SHA-256.
        Rs256 = "RS256",
        /// RSA with SHA-384.
        Rs384 = "RS384",
        /// RSA with SHA-512.
        Rs512 = "RS512",
        /// RSA-PSS with SHA-256.
        Ps256 = "PS256",
        /// RSA-PSS with SHA-384.
        Ps384 = "PS384",
        /// RSA-PSS with SHA-512.
        Ps512 = "PS512",
        /// Ed25519.
        EdDsa = "EdDSA",
    }
}

/// The YAML shapes.
pub mod yaml {
    use super::{JwtAlgorithm, Map, Templated, Text, shape};
    use crate::components::request_option::yaml::RequestOption;

    shape! {
        /// Signs a token for each request.
        pub struct JwtAuthenticator {
            /// The secret, or the private key in PEM form.
            secret_key: Text,
            /// Whether the secret is used in its base64 form.
            base64_encode_secret_key: bool = false,
            /// How tokens are signed.
            algorithm: JwtAlgorithm,
            /// Seconds until a token expires.
            token_duration: i64 = 1200,
            /// What stands before the token.
            header_prefix: Option<Text>,
            /// Standard headers of the token.
            jwt_headers: Option<JwtHeaders>,
            /// Further headers of the token.
            additional_jwt_headers: Option<Templated<Map>>,
            /// Standard claims of the token.
            jwt_payload: Option<JwtPayload>,
            /// Further claims of the token.
            additional_jwt_payload: Option<Templated<Map>>,
            /// What the private key is encrypted with.
            passphrase: Option<Text>,
            /// Where the token is put, if not into the `Authorization` header.
            request_option: Option<RequestOption>,
        }
    }

    shape! {
        /// Standard headers of a token.
        pub struct JwtHeaders: untyped, closed {
            /// Names the key.
            kid: Option<Text>,
            /// The type of the token.
            typ: Option<Text> = Some(Text::new("JWT")),
            /// The type of what the token holds.
            cty: Option<Text>,
        }
    }

    shape! {
        /// Standard claims of a token.
        pub struct JwtPayload: untyped, closed {
            /// Who issues the token.
            iss: Option<Text>,
            /// Whom it is about.
            sub: Option<Text>,
            /// Whom it is for.
            aud: Option<Text>,
        }
    }
}

impl Component for yaml::JwtAuthenticator {
    type Family = dyn Authenticator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        let header = Text::new("Authorization");
        let option = match &self.request_option {
            Some(option) => RequestOption::build(option, &Arc::default())?,
            None => RequestOption::named(InjectInto::Header, &header, &self.parameters),
        };
        let token = self.build_token(cx);
        Ok(Arc::new(InjectedToken { option, token, surroundings: cx.surroundings() }))
    }
}

impl yaml::JwtAuthenticator {
    /// Signs tokens, for whatever they are used.
    pub(super) fn build_token(&self, cx: &BuildContext<'_>) -> Box<dyn TokenSource> {
        let template = |text: &Option<Text>| {
            let text = text.as_ref().filter(|text| !text.is_empty())?;
            Some(InterpolatedString::new(text, self.parameters.clone()))
        };
        let mapping = |map: &Option<Templated<Map>>| {
            let map = map.as_deref().cloned().unwrap_or_default();
            InterpolatedMapping::new(&map, self.parameters.clone())
        };
        let headers = self.jwt_headers.as_ref();
        let payload = self.jwt_payload.as_ref();
        Box::new(JwtToken {
            secret_key: InterpolatedString::new(&self.secret_key, self.parameters.clone()),
            encodes_secret_key: self.base64_encode_secret_key,
            passphrase: template(&self.passphrase),
            algorithm: self.algorithm,
            duration: self.token_duration,
            prefix: template(&self.header_prefix),
            kid: headers.and_then(|headers| template(&headers.kid)),
            typ: match headers {
                Some(headers) => template(&headers.typ),
                None => template(&Some(Text::new("JWT"))),
            },
            cty: headers.and_then(|headers| template(&headers.cty)),
            headers: mapping(&self.additional_jwt_headers),
            iss: payload.and_then(|payload| template(&payload.iss)),
            sub: payload.and_then(|payload| template(&payload.sub)),
            aud: payload.and_then(|payload| template(&payload.aud)),
            claims: mapping(&self.additional_jwt_payload),
            surroundings: cx.surroundings(),
        })
    }
}

/// See the module documentation.
struct JwtToken {
    secret_key: InterpolatedString,
    encodes_secret_key: bool,
    passphrase: Option<InterpolatedString>,
    algorithm: JwtAlgorithm,
    duration: i64,
    prefix: Option<InterpolatedString>,
    kid: Option<InterpolatedString>,
    typ: Option<InterpolatedString>,
    cty: Option<InterpolatedString>,
    headers: InterpolatedMapping,
    iss: Option<InterpolatedString>,
    sub: Option<InterpolatedString>,
    aud: Option<InterpolatedString>,
    claims: InterpolatedMapping,
    surroundings: Surroundings,
}

impl TokenSource for JwtToken {
    fn token(&self) -> BoxFuture<'_, Result<String, ReadError>> {
        let token = self.surroundings.eval(|scope| {
            let scope = scope.with("json_loads", Function::JsonLoads);
            let token = self
                .sign(&scope)
                .map_err(|err| ReadError::value(format!("Failed to sign token: {err}")))?;
            let prefix = eval_optional(self.prefix.as_ref(), &scope)?;
            Ok(match prefix.filter(is_truthy) {
                Some(prefix) => format!("{} {token}", crate::value::python_str(&prefix)),
                None => token,
            })
        });
        future::ready(token).boxed()
    }
}

impl JwtToken {
    fn sign(&self, scope: &Scope<'_>) -> Result<String, ReadError> {
        self.surroundings.environment().secrets.add_signed_tokens();
        let claims = PythonJson::COMPACT.text(&Json::Object(self.claims(scope)?));
        let headers = PythonJson::SORTED_COMPACT.text(&Json::Object(self.headers(scope)?));
        let mut token = URL_SAFE_NO_PAD.encode(headers);
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(claims));
        let signature = self.key(scope)?.sign(self.algorithm, token.as_bytes())?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }

    fn key(&self, scope: &Scope<'_>) -> Result<SigningKey, ReadError> {
        let secret_key = self.secret_key.eval_string(scope)?;
        let passphrase = match &self.passphrase {
            Some(passphrase) => passphrase.eval_string(scope)?,
            None => String::new(),
        };
        match (passphrase.is_empty(), self.encodes_secret_key) {
            (false, _) => SigningKey::decrypt(&secret_key, &passphrase),
            (true, true) => Ok(SigningKey::Text(STANDARD.encode(secret_key))),
            (true, false) => Ok(SigningKey::Text(secret_key)),
        }
    }

    fn headers(&self, scope: &Scope<'_>) -> Result<Map, ReadError> {
        let mut headers = eval_mapping(&self.headers, scope)?;
        if ["kid", "alg", "typ", "cty"].iter().any(|key| headers.contains_key(*key)) {
            return Err(ReadError::value(
                "'kid', 'alg', 'typ', 'cty' are reserved headers and should not be set as part of \
                 'additional_jwt_headers'",
            ));
        }
        if let Some(kid) = &self.kid {
            // Digits are text here: the reference reads them as a number, and refuses to sign.
            headers.insert("kid".to_owned(), kid.eval_string(scope)?.into());
        }
        // A token of no type has one all the same, unless a template says that it has none.
        let typ = eval_optional(self.typ.as_ref(), scope)?.unwrap_or_else(|| "JWT".into());
        if is_truthy(&typ) {
            headers.insert("typ".to_owned(), typ);
        }
        if let Some(cty) = eval_optional(self.cty.as_ref(), scope)? {
            headers.insert("cty".to_owned(), cty);
        }
        headers.insert("alg".to_owned(), self.algorithm.as_str().into());
        Ok(headers)
    }

    fn claims(&self, scope: &Scope<'_>) -> Result<Map, ReadError> {
        let mut claims = eval_mapping(&self.claims, scope)?;
        if ["iss", "sub", "aud", "iat", "exp", "nbf"].iter().any(|key| claims.contains_key(*key)) {
            return Err(ReadError::value(
                "'iss', 'sub', 'aud', 'iat', 'exp', 'nbf' are reserved properties and should not \
                 be set as part of 'additional_jwt_payload'",
            ));
        }
        if let Some(iss) = &self.iss {
            // Digits are text here: the reference reads them as a number, and refuses to sign.
            claims.insert("iss".to_owned(), iss.eval_string(scope)?.into());
        }
        for (name, template) in [("sub", &self.sub), ("aud", &self.aud)] {
            if let Some(value) = eval_optional(template.as_ref(), scope)? {
                claims.insert(name.to_owned(), value);
            }
        }
        let now = self.surroundings.run().now().as_second();
        claims.insert("iat".to_owned(), now.into());
        claims.insert("exp".to_owned(), now.saturating_add(self.duration).into());
        claims.insert("nbf".to_owned(), now.into());
        Ok(claims)
    }
}

fn eval_optional(
    template: Option<&InterpolatedString>,
    scope: &Scope<'_>,
) -> Result<Option<Json>, EvalError> {
    template.map(|template| template.eval_json(scope)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    const ED25519: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEIGJaiT+xTFBGahUJd/fmcifvx4tOJVob8Fp6feXyl1pX\n\
        -----END PRIVATE KEY-----";

    /// What is added to a request: a header, or a parameter.
    fn token(fields: &Json) -> Result<String, String> {
        let mut written = json!({"type": "JwtAuthenticator"});
        written.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let world = World::new(&json!({"k": "secret", "n": 3, "ed": ED25519}));
        let authenticator = world.build::<dyn Authenticator>(&written).unwrap();
        let parts = authenticator.request_parts().now_or_never().unwrap();
        let parts = parts.map_err(|err| err.to_string())?;
        let mut added = parts.headers.into_iter().chain(parts.params);
        let (name, value) = added.next().unwrap();
        Ok(format!("{name}: {}", value.as_str().unwrap()))
    }

    /// Tokens are those that the reference signs at the same time.
    #[track_caller]
    fn check(fields: &Json, expect: &str) {
        assert_eq!(token(fields).as_deref(), Ok(expect));
    }

    #[test]
    fn a_token_has_headers_and_claims_in_the_order_of_the_reference() {
        check(
            &json!({
                "secret_key": "{{ config.k }}", "algorithm": "HS256", "token_duration": 60,
                "header_prefix": "Bearer", "jwt_headers": {"kid": "k1"},
                "jwt_payload": {"iss": "me", "sub": "{{ config.n }}", "aud": "é"},
                "additional_jwt_payload": {"x": "{{ config.n }}", "z": "t"},
                "additional_jwt_headers": {"b": "1", "a": "2"},
            }),
            "Authorization: Bearer \
             eyJhIjoyLCJhbGciOiJIUzI1NiIsImIiOjEsImtpZCI6ImsxIiwidHlwIjoiSldUIn0.\
             eyJ4IjozLCJ6IjoidCIsImlzcyI6Im1lIiwic3ViIjozLCJhdWQiOiJcdTAwZTkiLCJpYXQiOjE3MTQ5NzkyODks\
             ImV4cCI6MTcxNDk3OTM0OSwibmJmIjoxNzE0OTc5Mjg5fQ.\
             M7rDef-0RDwEhw7lU2YrjHqYJRjCVF_eBQgf4J5-ynM",
        );
    }

    #[test]
    fn secrets_may_be_used_in_their_base64_form() {
        check(
            &json!({"secret_key": "s", "algorithm": "HS512", "base64_encode_secret_key": true}),
            "Authorization: eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.\
             eyJpYXQiOjE3MTQ5NzkyODksImV4cCI6MTcxNDk4MDQ4OSwibmJmIjoxNzE0OTc5Mjg5fQ.\
             deNMA8pb9QASNZSg6F86oYvd_FyM3Y33Z7TehJJ2VStbxLH1GQfGusQOq5EOJLr3zThevKPoQkNZTsKpirT_2g",
        );
    }

    #[test]
    fn a_token_can_be_put_elsewhere() {
        let option = json!({
            "type": "RequestOption", "inject_into": "request_parameter", "field_name": "jwt",
        });
        check(
            &json!({
                "secret_key": "s", "algorithm": "HS384", "jwt_headers": {}, "request_option": option,
            }),
            "jwt: eyJhbGciOiJIUzM4NCIsInR5cCI6IkpXVCJ9.\
             eyJpYXQiOjE3MTQ5NzkyODksImV4cCI6MTcxNDk4MDQ4OSwibmJmIjoxNzE0OTc5Mjg5fQ.\
             gbNodIMgAA6n0ckhLZielZi1ZIwLFEXWhKxbsdKq1M_fTBKITykbFVnXVdfH1Y8S",
        );
    }

    #[test]
    fn private_keys_sign() {
        check(
            &json!({"secret_key": "{{ config.ed }}", "algorithm": "EdDSA"}),
            "Authorization: eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.\
             eyJpYXQiOjE3MTQ5NzkyODksImV4cCI6MTcxNDk4MDQ4OSwibmJmIjoxNzE0OTc5Mjg5fQ.\
             FNr7KOV2cQjcy34tP5Z_198h_cSuO-wDjfBMp1ythQp3a7V5cw450uV8YEFALvEuJ_Ryl-g6lMVcxBz0BJYkBA",
        );
    }

    #[test]
    fn standard_names_are_reserved() {
        let reserved = |field: &str, name: &str| {
            let additional = json!({name: "1"});
            let fields = json!({"secret_key": "s", "algorithm": "HS256", field: additional});
            token(&fields).unwrap_err()
        };
        let message = "Failed to sign token: 'kid', 'alg', 'typ', 'cty' are reserved headers and \
                       should not be set as part of 'additional_jwt_headers'";
        assert_eq!(reserved("additional_jwt_headers", "kid"), message);
        let message = "Failed to sign token: 'iss', 'sub', 'aud', 'iat', 'exp', 'nbf' are reserved \
                       properties and should not be set as part of 'additional_jwt_payload'";
        assert_eq!(reserved("additional_jwt_payload", "iss"), message);
    }
}
