//! The configured catalog: which streams are to be read, and how.

use super::error::InputError;
use super::incoming::Incoming;
use super::message::SyncMode;
use crate::value::{Json, Map};

/// The streams to read, in the order in which the user listed them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfiguredCatalog {
    /// The selected streams.
    pub streams: Vec<ConfiguredStream>,
}

/// A stream to read. What concerns only the destination is not kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfiguredStream {
    /// The name of the stream.
    pub name: String,
    /// The schema of its records as the user selected it.
    pub json_schema: Map,
    /// How it is to be read.
    pub sync_mode: SyncMode,
    /// The path of the cursor in a record, where the user may choose it.
    pub cursor_field: Option<Vec<String>>,
}

impl ConfiguredCatalog {
    /// Reads a catalog as the reference does; unknown keys are ignored.
    pub fn read(document: &Json) -> Result<Self, InputError> {
        let streams = Incoming::root(document).required("streams")?;
        let streams = streams.items()?.map(|stream| ConfiguredStream::read(&stream));
        Ok(Self { streams: streams.collect::<Result<_, _>>()? })
    }

    /// Selects streams by their names only, for a read that is given no catalog.
    pub fn of_streams(names: impl IntoIterator<Item = String>) -> Self {
        let select = |name| ConfiguredStream {
            name,
            json_schema: Map::new(),
            sync_mode: SyncMode::Incremental,
            cursor_field: None,
        };
        Self { streams: names.into_iter().map(select).collect() }
    }

    /// The selection of the stream `name`.
    pub fn stream(&self, name: &str) -> Option<&ConfiguredStream> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}

impl ConfiguredStream {
    fn read(configured: &Incoming<'_>) -> Result<Self, InputError> {
        let stream = configured.required("stream")?;
        let name = stream.required("name")?.text()?.to_owned();
        let json_schema = stream.required("json_schema")?.object()?.clone();
        for mode in stream.required("supported_sync_modes")?.items()? {
            read_sync_mode(&mode)?;
        }
        let sync_mode = read_sync_mode(&configured.required("sync_mode")?)?;
        // The platform may know more modes than we do, and they do not concern a source.
        configured.required("destination_sync_mode")?.text()?;
        let cursor_field = configured.optional("cursor_field")?;
        let cursor_field = cursor_field.map(|path| path.texts()).transpose()?;
        Ok(Self { name, json_schema, sync_mode, cursor_field })
    }
}

fn read_sync_mode(mode: &Incoming<'_>) -> Result<SyncMode, InputError> {
    Ok(match mode.one_of(&["full_refresh", "incremental"])? {
        "incremental" => SyncMode::Incremental,
        _ => SyncMode::FullRefresh,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn configured(patch: &Json) -> Json {
        let mut stream = json!({
            "stream": {
                "name": "items",
                "json_schema": {"type": "object"},
                "supported_sync_modes": ["full_refresh", "incremental"],
                "namespace": null,
            },
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        });
        for (pointer, value) in patch.as_object().unwrap() {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent = stream.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            parent.insert(key.to_owned(), value.clone());
        }
        json!({"streams": [stream]})
    }

    #[track_caller]
    fn check_error(document: &Json, expect: &str) {
        assert_eq!(ConfiguredCatalog::read(document).unwrap_err().to_string(), expect);
    }

    #[test]
    fn keeps_what_concerns_a_source() {
        let document = configured(&json!({
            "/cursor_field": ["updated"], "/primary_key": null, "/generation_id": 3,
            "/destination_sync_mode": "yet_unknown",
        }));
        let catalog = ConfiguredCatalog::read(&document).unwrap();
        let stream = catalog.stream("items").unwrap();
        assert_eq!(stream.sync_mode, SyncMode::Incremental);
        assert_eq!(stream.cursor_field, Some(vec!["updated".to_owned()]));
        assert_eq!(Json::Object(stream.json_schema.clone()), json!({"type": "object"}));
        assert_eq!(catalog.stream("other"), None);
    }

    #[test]
    fn faults_have_a_place() {
        check_error(&json!([]), r#"[] is not of type "object" (instance_path='')"#);
        check_error(&json!({}), r#""streams" is a required property (instance_path='streams')"#);
        check_error(
            &json!({"streams": null}),
            r#"null is not of type "list" (instance_path='streams')"#,
        );
        check_error(
            &configured(&json!({"/stream/name": 3})),
            r#"3 is not of type "string" (instance_path='streams/0/stream/name')"#,
        );
        check_error(
            &configured(&json!({"/stream/supported_sync_modes": ["full_refresh", "x"]})),
            concat!(
                r#""x" is not one of ["full_refresh", "incremental"] "#,
                "(instance_path='streams/0/stream/supported_sync_modes/1')",
            ),
        );
        check_error(
            &configured(&json!({"/stream/json_schema": ["x".repeat(100)]})),
            &format!(
                "[\"{}… is not of type \"object\" (instance_path='streams/0/stream/json_schema')",
                "x".repeat(78),
            ),
        );
    }
}
