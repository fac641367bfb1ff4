//! Black-box tests on the binary, and the tests that keep the house tidy.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod binary;
mod cases;
mod examples;
mod protocol;
mod shards;
mod tidy;
