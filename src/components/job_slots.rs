//! How many jobs an API may work on at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Slots that the jobs of all streams share; clones are of the same slots.
#[derive(Clone, Debug)]
pub struct JobSlots(Arc<Semaphore>);

/// A taken slot; dropping it frees it.
#[derive(Debug)]
pub struct JobSlot(
    #[expect(dead_code, reason = "frees the slot when it is dropped")] OwnedSemaphorePermit,
);

impl JobSlots {
    /// So many slots, at least one.
    pub fn new(limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0).clamp(1, Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(limit)))
    }

    /// Takes a slot, if one is free.
    pub fn try_take(&self) -> Option<JobSlot> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(JobSlot)
    }
}

impl Default for JobSlots {
    fn default() -> Self {
        Self::new(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_when_its_job_is_gone() {
        let slots = JobSlots::new(0);
        let slot = slots.try_take();
        assert!(slot.is_some() && slots.try_take().is_none());
        drop(slot);
        assert!(slots.try_take().is_some());
    }
}
