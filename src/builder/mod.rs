//! The Connector Builder: what stands behind its pages, and behind those of an Airbyte platform.
//!
//! [`serve`] binds the one address and merges the routes of all parts: [`manifest_server`] stands in
//! for the platform's own server of that name, [`ui`] holds the pages.

#[cfg(feature = "ui")]
pub mod manifest_server;
pub mod outside;
#[cfg(feature = "ui")]
pub mod serve;
pub mod test_read;
#[cfg(feature = "ui")]
pub mod ui;
