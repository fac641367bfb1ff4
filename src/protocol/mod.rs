//! What crosses stdin and stdout: messages out, catalog and state in.
//!
//! [`message`] has the shapes of everything that is printed, [`record`] the
//! short road for the one kind that is printed a million times, and
//! [`failure`] the one form in which an error reaches the platform.

pub mod catalog;
pub mod config_validation;
pub mod error;
pub mod failure;
mod incoming;
pub mod log;
pub mod merge;
pub mod message;
pub mod record;
pub mod secrets;
pub mod shard;
pub mod state;
pub mod writer;

pub use catalog::{ConfiguredCatalog, ConfiguredStream};
pub use config_validation::validate_config;
pub use error::{InputError, MergeError, MergeFault, ShardError};
pub use failure::{FailureType, TracedError};
pub use merge::merge_states;
pub use message::{Level, Message, StreamDescriptor};
pub use record::{FileReference, RecordFrame};
pub use secrets::mask_config;
pub use shard::{Shard, ShardNote};
pub use state::{
    States, kept_messages, read_kept_states, read_states, state_messages, unread_messages,
};
pub use writer::{Closed, Writer, WriterThread};
