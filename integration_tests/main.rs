//! Black-box tests on the binary, and the tests that keep the house tidy.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod binary;
mod broken_inputs;
#[cfg(unix)]
mod builder;
#[cfg(unix)]
mod canary;
mod cases;
#[cfg(unix)]
mod computed_api;
#[cfg(unix)]
mod crash;
mod examples;
#[cfg(unix)]
mod fault_server;
#[cfg(unix)]
mod faults;
mod fuzz_seeds;
mod golden;
mod image;
mod lint;
mod new;
#[cfg(unix)]
mod observed;
#[cfg(unix)]
mod platform;
mod prefetch;
#[cfg(target_os = "linux")]
mod process;
mod protocol;
mod reads;
#[cfg(target_os = "linux")]
mod scale;
mod scripted_api;
mod shards;
#[cfg(target_os = "linux")]
mod soak;
mod tidy;
mod web;
