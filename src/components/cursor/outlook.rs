//! What is left of time to read, for people.

use super::settings::Settings;
use super::windows::{Window, Windows};
use crate::components::ReadError;
use crate::components::outlook::{Slices, Terms, unread_keys};
use crate::template::time::{Span, TimeError};
use crate::value::{Json, Map};

impl Settings {
    /// How time is cut, in words.
    pub(super) fn terms(&self) -> Result<Terms, ReadError> {
        let words = |span: Option<Span>| span.map(|span| span.words());
        Ok(Terms {
            cursor_field: self.field.clone(),
            start: self.formats.format(self.cutting.start),
            end: self.formats.format(self.end()?),
            step: words(self.cutting.step),
            granularity: words(self.cutting.granularity),
            lookback: words(self.cutting.lookback),
        })
    }

    /// Counts windows, and writes some of them.
    pub(super) fn slices(&self, windows: Windows) -> Result<Slices, TimeError> {
        let text = |(start, end): Window| (self.formats.format(start), self.formats.format(end));
        let (mut slices, mut last) = (Slices::default(), None);
        for window in windows.take(Slices::MAX) {
            let window = window?;
            slices.count += 1;
            last = Some(window);
            if slices.count <= Slices::N_FIRST {
                slices.first.push(text(window));
            }
        }
        slices.last = last.map(text);
        Ok(slices)
    }

    /// What of the state of one partition makes no difference.
    pub(super) fn unread(&self, state: &Map) -> Vec<String> {
        let kind = state.get("state_type").and_then(Json::as_str);
        if matches!(kind, Some("date-range" | "integer")) {
            return Vec::new();
        }
        unread_keys(state, &self.field)
    }
}
