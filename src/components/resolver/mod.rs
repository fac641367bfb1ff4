//! Streams made of a template: where the values come from that fill it.
//!
//! - [`http`]: `HttpComponentsResolver`, one stream for each record of an API;
//! - [`config`]: `ConfigComponentsResolver`, one for each item of lists in the config;
//! - [`parametrized`]: `ParametrizedComponentsResolver`, one for each item of a list in the
//!   manifest.
//!
//! What of the template is filled is said by a [`mapping`].

pub mod config;
pub mod http;
pub mod mapping;
pub mod parametrized;

use super::shape::shape;
use super::slot::Member;
use super::{ComponentsResolver, Slot, Stream};

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<http::yaml::HttpComponentsResolver>(),
    Member::of::<config::yaml::ConfigComponentsResolver>(),
    Member::of::<parametrized::yaml::ParametrizedComponentsResolver>(),
];

/// The YAML shape.
pub mod yaml {
    use super::{ComponentsResolver, Slot, Stream, shape};

    shape! {
        /// Streams made of a template.
        pub struct DynamicDeclarativeStream {
            /// The name of the template.
            name: String = String::new(),
            /// What each stream looks like before it is filled.
            stream_template: Slot<Stream>,
            /// Fills the template.
            components_resolver: Slot<dyn ComponentsResolver>,
            /// Whether the parameters of an outer component win over those of an inner one.
            use_parent_parameters: bool = true,
        }
    }
}
