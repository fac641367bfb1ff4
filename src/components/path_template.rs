//! Paths into JSON whose segments may be templates.

use std::sync::OnceLock;

use crate::template::InterpolatedString;
use crate::value::{Json, Path};

use super::Parameters;
use super::error::ReadError;
use super::shape::Text;
use super::surroundings::Surroundings;

/// A path that the config decides; it is evaluated once, when it is first needed.
#[derive(Debug)]
pub struct PathTemplate {
    segments: Vec<InterpolatedString>,
    surroundings: Surroundings,
    path: OnceLock<Result<Path, ReadError>>,
}

impl PathTemplate {
    /// The path of the texts `segments`.
    pub fn new(segments: &[Text], parameters: &Parameters, surroundings: Surroundings) -> Self {
        let template = |text: &Text| InterpolatedString::new(text, parameters.clone());
        let segments = segments.iter().map(template).collect();
        Self { segments, surroundings, path: OnceLock::new() }
    }

    /// The path; a template that fails does so each time.
    pub fn path(&self) -> Result<&Path, ReadError> {
        self.path.get_or_init(|| self.eval()).as_ref().map_err(Clone::clone)
    }

    /// The values of the segments.
    pub fn segments(&self) -> Result<Vec<Json>, ReadError> {
        let config = self.surroundings.config().snapshot();
        let scope = self.surroundings.scope(&config);
        self.segments.iter().map(|segment| Ok(segment.eval_json(&scope)?)).collect()
    }

    fn eval(&self) -> Result<Path, ReadError> {
        Ok(Path::new(self.segments()?)?)
    }
}
