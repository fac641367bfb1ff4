//! Bodies that arrive in pieces: bytes to text, rows, and items.
//!
//! Everything here is pushed: it takes the next piece, hands on what that
//! completes, and holds no more than one unfinished unit.

mod charset;
mod csv;
mod gunzip;
mod items;

pub use charset::{CharsetError, TextDecoder};
pub use csv::CsvRows;
pub use gunzip::{Gunzip, GunzipError};
pub use items::{ItemStream, Items};
