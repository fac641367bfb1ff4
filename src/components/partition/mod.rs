//! How a stream is split into partitions.
//!
//! - [`list`]: `ListPartitionRouter`, one for each value of a list;
//! - [`substream`]: `SubstreamPartitionRouter`, one for each record of parent streams
//!   ([`parent`]: `ParentStreamConfig`);
//! - [`grouping`]: `GroupingPartitionRouter`, several partitions as one;
//! - [`union`]: `UnionPartitionRouter`, the partitions of several routers, each once;
//! - [`product`]: a list of routers, all combinations of their partitions.

pub mod grouping;
mod identity;
pub mod list;
pub mod parent;
pub mod product;
pub mod substream;
pub mod union;

use super::slot::Member;

/// The key of a partition that holds the partition of the parent's record.
const PARENT_SLICE: &str = "parent_slice";

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<list::yaml::ListPartitionRouter>(),
    Member::of::<substream::yaml::SubstreamPartitionRouter>(),
    Member::of::<grouping::yaml::GroupingPartitionRouter>(),
    Member::of::<union::yaml::UnionPartitionRouter>(),
    Member::list::<product::Product>(),
];
