//! How a slice is read page by page.
//!
//! A paginator ([`default`], [`none`]) puts tokens and page sizes into
//! requests; a strategy ([`cursor`], [`offset_increment`], [`page_increment`])
//! computes the tokens.

pub mod cursor;
pub mod default;
pub mod none;
pub mod offset_increment;
pub mod page_increment;
mod page_size;

use super::slot::Member;

/// The paginators.
pub(super) const PAGINATORS: &[Member] =
    &[Member::of::<default::yaml::DefaultPaginator>(), Member::of::<none::yaml::NoPagination>()];

/// The strategies.
pub(super) const STRATEGIES: &[Member] = &[
    Member::of::<cursor::yaml::CursorPagination>(),
    Member::of::<offset_increment::yaml::OffsetIncrement>(),
    Member::of::<page_increment::yaml::PageIncrement>(),
];
