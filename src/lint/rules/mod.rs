//! The rules, one file per family.

mod braces;
mod config;
mod deprecated;
mod errors;
mod pagination;
mod partitions;
mod secrets;
mod streams;
mod unused;
mod variables;
mod windows;

use super::Rule;

const FAMILIES: [&[Rule]; 11] = [
    variables::RULES,
    braces::RULES,
    pagination::RULES,
    windows::RULES,
    partitions::RULES,
    streams::RULES,
    errors::RULES,
    config::RULES,
    secrets::RULES,
    unused::RULES,
    deprecated::RULES,
];

/// All rules, family by family.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.into_iter().flatten()
}
