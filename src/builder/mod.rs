//! The Connector Builder: what stands behind its pages, and behind those of an Airbyte platform.
//!
//! [`serve`] binds the one address and merges the routes of all parts: [`manifest_server`] stands in
//! for the platform's own server of that name, [`ui`] holds the pages, and `api` answers them, out of
//! [`analysis`], which says what there is to say of a manifest's text, and [`edit`], which changes it
//! as forms do; [`oauth`] gets testing values by a user's consent.

#[cfg(feature = "ui")]
pub mod analysis;
#[cfg(feature = "ui")]
mod api;
pub mod commands;
#[cfg(feature = "ui")]
pub mod edit;
#[cfg(feature = "ui")]
mod guard;
#[cfg(feature = "ui")]
pub mod manifest_server;
#[cfg(feature = "ui")]
pub mod oauth;
pub mod outside;
#[cfg(feature = "ui")]
pub mod serve;
pub mod test_read;
#[cfg(feature = "ui")]
pub mod ui;
