//! Consents in a browser, from outside: the pages begin one, the provider sends the user back.

use serde_json::{Value, json};

use super::projects::{check_refused, ok, project};
use super::server::Server;
use crate::scripted_api::ScriptedApi;

const MANIFEST: &str = "\
version: 6.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [items]}
streams: []
spec:
  type: Spec
  connection_specification:
    type: object
    properties:
      client_id: {type: string}
      client_secret: {type: string, airbyte_secret: true}
  advanced_auth:
    auth_flow_type: oauth2.0
    oauth_config_specification:
      oauth_connector_input_specification:
        consent_url: https://provider.test/agree?{{ client_id_param }}&{{ redirect_uri_param }}&{{ state_param }}
        access_token_url: http://provider.test/token
        access_token_params: {code: '{{ auth_code_value }}', client_secret: '{{ client_secret_value }}'}
      complete_oauth_output_specification:
        properties:
          refresh_token: {path_in_connector_config: [credentials, refresh_token]}
";

const SCRIPT: &str = r#"
? 'POST http://provider.test/token {"code": "c0de", "client_secret": "hunter2-hunter2"}'
:
  json: {refresh_token: refresh-0123456789, other: 1}
GET http://provider.test/items:
  json: [{id: 1}]
POST http://provider.test/token:
  status: 400
  json: {error: invalid_grant, error_description: hunter2-hunter2 does not fit}
"#;

/// A server whose network is the script.
fn server() -> (Server, ScriptedApi) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.yaml"), SCRIPT).unwrap();
    let api = ScriptedApi::start(folder.path());
    let proxy = api.proxy();
    (Server::start(&[("HTTP_PROXY", &proxy), ("NO_PROXY", "")]), api)
}

/// Begins a consent: its id, its URL, and the state in that.
fn begin(server: &Server, path: &str) -> (String, String, String) {
    begin_with(server, path, MANIFEST)
}

fn begin_with(server: &Server, path: &str, text: &str) -> (String, String, String) {
    let begun = ok(&server.post(&format!("{path}/oauth"), &json!({"text": text})));
    let url = begun["url"].as_str().unwrap().to_owned();
    let state = url.rsplit_once("state=").unwrap().1.to_owned();
    (begun["consent"].as_str().unwrap().to_owned(), url, state)
}

fn status(server: &Server, consent: &str) -> Value {
    ok(&server.get(&format!("/api/oauth/{consent}")))
}

fn save_values(server: &Server, path: &str) {
    let values = json!({"values": {"client_id": "me", "client_secret": "hunter2-hunter2"}});
    let path = format!("{path}/testing_values");
    ok(&server.send("PUT", &path, &[], values.to_string().as_bytes()));
}

#[test]
fn a_consent_fills_the_testing_values() {
    let (server, _api) = server();
    let path = project(&server, MANIFEST);
    check_refused(
        &server.post(&format!("{path}/oauth"), &json!({"text": MANIFEST})),
        422,
        "consent",
    );
    save_values(&server, &path);

    let (consent, url, state) = begin(&server, &path);
    assert!(
        url.starts_with("https://provider.test/agree?client_id=me&redirect_uri=http%3A%2F%2F127")
    );
    assert!(url.contains("%2Foauth%2Fcallback&"), "{url}");
    assert_eq!(status(&server, &consent), json!({"status": "waiting"}));

    // Nobody else's answer counts.
    for query in ["", "?code=c0de", "?code=c0de&state=other"] {
        assert_eq!(server.get(&format!("/oauth/callback{query}")).status, 400);
    }
    // Nor one that comes under a name that is not this machine's.
    let query = format!("/oauth/callback?code=c0de&state={state}");
    let foreign = server.send("GET", &query, &[("Host", "evil.example.com")], b"");
    check_refused(&foreign, 403, "foreign");
    assert_eq!(status(&server, &consent)["status"], "waiting");

    let back = server.get(&format!("/oauth/callback?code=c0de&state={state}"));
    let page = String::from_utf8(back.body.clone()).unwrap();
    assert_eq!((back.status, page.contains("<h1>Connected</h1>")), (200, true), "{page}");
    assert!(!page.contains("c0de") && !page.contains(&state));
    assert!(back.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let kept = json!({"status": "done", "kept": ["credentials.refresh_token"]});
    assert_eq!(status(&server, &consent), kept);
    let values = ok(&server.get(&format!("{path}/testing_values")));
    assert_eq!(values["values"]["credentials"], json!({"refresh_token": "********"}));

    // A state counts once.
    assert_eq!(server.get(&format!("/oauth/callback?code=c0de&state={state}")).status, 400);
}

#[test]
fn what_goes_wrong_is_said_without_secrets() {
    let (server, _api) = server();
    let path = project(&server, MANIFEST);
    save_values(&server, &path);
    for (query, expect) in [
        (
            "code=wrong",
            "the code was not exchanged: the answer has the status 400: invalid_grant: **** does not fit",
        ),
        ("error=access_denied", "the provider says: access_denied"),
        ("a=b", "the provider sent no `code`"),
    ] {
        let (consent, _, state) = begin(&server, &path);
        let back = server.get(&format!("/oauth/callback?{query}&state={state}"));
        assert!(String::from_utf8_lossy(&back.body).contains("<h1>Not connected</h1>"));
        assert_eq!(status(&server, &consent), json!({"status": "failed", "message": expect}));
    }
    check_refused(&server.get("/api/oauth/none"), 404, "not_found");
}

#[test]
fn an_exchange_that_nobody_answers_tells_no_secrets() {
    let server = Server::start(&[]);
    let path = project(&server, MANIFEST);
    save_values(&server, &path);
    let text = MANIFEST.replace(
        "http://provider.test/token",
        "'http://127.0.0.1:1/token?{{ client_secret_param }}&{{ auth_code_param }}'",
    );
    let (consent, _, state) = begin_with(&server, &path, &text);
    server.get(&format!("/oauth/callback?code=c0de-0123&state={state}"));
    let told = status(&server, &consent)["message"].as_str().unwrap().to_owned();
    assert!(told.starts_with("the code could not be exchanged: "), "{told}");
    assert!(told.contains("client_secret=****&code=****"), "{told}");
}

#[test]
fn what_a_consent_filled_is_masked_in_tests() {
    let (server, api) = server();
    let stream = "\
streams:
  - type: DeclarativeStream
    name: items
    schema_loader: {type: InlineSchemaLoader, schema: {}}
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url: http://provider.test/items
        authenticator: {type: BearerAuthenticator, api_token: '{{ config.credentials.refresh_token }}'}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
";
    let text = MANIFEST.replace("streams: []\n", stream);
    let path = project(&server, &text);
    save_values(&server, &path);
    let (_, _, state) = begin(&server, &path);
    server.get(&format!("/oauth/callback?code=c0de&state={state}"));
    let body = json!({"text": text, "stream_name": "items"});
    let told = server.post(&format!("{path}/tests"), &body);
    let told = String::from_utf8(told.body).unwrap();
    assert!(told.contains("Bearer ****"), "{told}");
    assert!(!told.contains("refresh-0123456789"), "{told}");
    drop(api);
}
