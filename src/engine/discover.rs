//! `discover`: what the streams of a source are, as a catalog.

use crate::components::{ReadError, Stream};
use crate::protocol::message::{self, Catalog, SyncMode};
use crate::value::{Json, Map};

/// Describes `streams` in their order.
pub(super) async fn discover(
    streams: impl IntoIterator<Item = &Stream>,
) -> Result<Catalog, ReadError> {
    let mut catalog = Catalog::default();
    for stream in streams {
        catalog.streams.push(describe(stream).await?);
    }
    Ok(catalog)
}

async fn describe(stream: &Stream) -> Result<message::Stream, ReadError> {
    let json_schema = match &*stream.schema.load().await? {
        Json::Object(schema) => schema.clone(),
        _ => Map::new(),
    };
    let cursor_field = stream.cursor.cursor_field();
    let mut supported_sync_modes = vec![SyncMode::FullRefresh];
    if cursor_field.is_some() {
        supported_sync_modes.push(SyncMode::Incremental);
    }
    Ok(message::Stream {
        name: stream.name.clone(),
        json_schema,
        supported_sync_modes,
        source_defined_cursor: cursor_field
            .is_some()
            .then(|| !stream.cursor.allows_catalog_cursor_field()),
        default_cursor_field: cursor_field.map(|field| vec![field.to_owned()]),
        source_defined_primary_key: Some(stream.primary_key.clone()).filter(|it| !it.is_empty()),
        is_resumable: cursor_field.is_some(),
        is_file_based: stream.files.is_some(),
    })
}
