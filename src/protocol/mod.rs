//! What crosses stdin and stdout: messages out, catalog and state in.
//!
//! [`message`] has the shapes of everything that is printed, [`record`] the
//! short road for the one kind that is printed a million times, and
//! [`failure`] the one form in which an error reaches the platform.

pub mod failure;
pub mod message;
pub mod record;
pub mod writer;

pub use failure::{FailureType, TracedError};
pub use message::{Level, Message, StreamDescriptor};
pub use record::RecordFrame;
pub use writer::{Closed, Writer, WriterThread};
