//! Runs Airbyte declarative manifests as a native Airbyte source.
//!
//! The rooms, in reading order: each knows only those below it in the list of
//! `ARCHITECTURE.md`, and data flows through them in this order.

pub mod builder;
pub mod cli;
pub mod components;
pub mod engine;
pub mod http;
pub mod image;
pub mod lint;
pub mod manifest;
pub mod protocol;
pub mod run;
pub mod template;
pub mod value;
#[cfg(feature = "ui")]
pub mod workspace;
