//! Images of connectors: made, told of while they are made, and kept for a download.

use std::io::{self, Seek};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;

use super::Api;
use super::answer::{Answer, Body, Failure, apart};
use super::downloads::Download;
use super::events::{Teller, told};
use super::projects::{At, Which};
use super::versions::refuse_faulty;
use crate::image::{Architecture, Image, ImageError, MANIFEST, Reference, connector_files};
use crate::manifest::Severity;
use crate::value::Json;

/// What the pages ask for.
#[derive(Debug, Deserialize)]
pub(super) struct NewImage {
    version: Json,
    tag: String,
    #[serde(default)]
    push: bool,
}

/// An image that is to be made.
struct Order {
    reference: Reference,
    manifest: String,
    push: bool,
}

/// Why an image was not made.
#[derive(Debug, thiserror::Error)]
enum BuildError {
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("the archive cannot be written: {0}")]
    Write(#[from] io::Error),
    #[error("this met a fault of the Builder")]
    Fault(#[from] tokio::task::JoinError),
}

pub(super) async fn build(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Body(new): Body<NewImage>,
) -> Answer<impl IntoResponse> {
    let which = Which::read(&new.version)?;
    let reference = read_reference(&new.tag)?;
    if new.push && !api.0.is_trusted {
        let message = "pushing would use the logins of the machine that the Builder runs on";
        return Err(Failure::new(StatusCode::FORBIDDEN, "untrusted", message));
    }
    let found = api.with_store(move |store| store.text(&workspace, &id, which.version())).await?;
    let manifest = apart(move || {
        refuse_faulty(&found, Severity::Error, "no image is made of it")?;
        Ok(found)
    });
    let order = Order { reference, manifest: manifest.await?, push: new.push };
    Ok(told(|teller| run(api, order, teller)))
}

/// The name of an image, which says of which version the connector is.
fn read_reference(tag: &str) -> Answer<Reference> {
    let named = tag.trim().parse().and_then(|reference: Reference| {
        reference.version()?;
        Ok(reference)
    });
    let refuse =
        |error: ImageError| Failure::new(StatusCode::BAD_REQUEST, "tag", error.to_string());
    named.map_err(refuse)
}

/// Makes an image, one after the other, and tells how far it is.
async fn run(api: Api, order: Order, teller: Teller) {
    // The semaphore is never closed.
    let Ok(turn) = Arc::clone(&api.0.image_turn).acquire_owned().await else { return };
    match make(&api, order, &teller, Arc::new(turn)).await {
        Ok(done) => teller.tell("done", done).await,
        Err(error) => teller.tell("failed", json!({"message": error.to_string()})).await,
    };
}

/// `turn` stays with what cannot be cut short when nobody listens any more.
async fn make(
    api: &Api,
    order: Order,
    teller: &Teller,
    turn: Arc<OwnedSemaphorePermit>,
) -> Result<Json, BuildError> {
    let progress = |message: String| teller.tell("progress", json!({"message": message}));
    let Order { reference, manifest, push } = order;
    progress("Putting program, shell, and manifest together".to_owned()).await;
    let files = connector_files([(MANIFEST, manifest.into_bytes())]);
    let (workshop, name) = (Arc::clone(&api.0.workshop), reference.clone());
    let runtime = Handle::current();
    let builders_turn = Arc::clone(&turn);
    let built = spawn_blocking(move || {
        let _turn = builders_turn;
        runtime.block_on(workshop.build(&name, files))
    });
    let image = Arc::new(built.await??);
    let mut warnings = Vec::new();
    if api.0.workshop.base.is_none() && !image.has_bill() {
        warnings.push("the image has no bill of materials, as its program brings none".to_owned());
    }
    // Before the push: what was pushed should not be told as failed.
    progress("Writing the archive".to_owned()).await;
    let (writer, written) = (api.clone(), Arc::clone(&image));
    let writers_turn = Arc::clone(&turn);
    let download = spawn_blocking(move || {
        let _turn = writers_turn;
        archive(&writer, &written)
    });
    let download = download.await??;
    if push {
        progress(format!("Pushing to {}", reference.host)).await;
        let pushed = api.0.workshop.registry(&reference)?.push(&image).await?;
        let unattached = pushed.unattached.iter();
        warnings
            .extend(unattached.map(|it| format!("the bill of materials is not attached: {it}")));
    }
    let (name, size) = (download.name.clone(), download.size);
    let machines: Vec<_> = image.architectures().into_iter().map(Architecture::name).collect();
    let commands = ["docker", "podman"].map(|engine| format!("{engine} load -i {name}"));
    Ok(json!({
        "download": format!("/api/downloads/{}", api.0.downloads.keep(download)),
        "size": size,
        "digest": image.digest().to_string(),
        "tag": reference.to_string(),
        "architectures": machines,
        "commands": commands,
        "pushed_to": push.then_some(reference.host),
        "warnings": warnings,
    }))
}

fn archive(api: &Api, image: &Image) -> io::Result<Download> {
    let mut file = api.0.downloads.file()?;
    image.write_archive_to(&file)?;
    let size = file.stream_position()?;
    Ok(Download { file, size, name: image.reference.archive_name() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_its_version() {
        assert!(read_reference(" ghcr.io/me/source-x:1.0.0\n").is_ok());
        for tag in ["", "a/source-x", "A/b:1", "a/b:1 2"] {
            assert!(read_reference(tag).is_err(), "{tag}");
        }
    }
}
