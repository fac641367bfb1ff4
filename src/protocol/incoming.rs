//! Takes typed parts out of a document that was given to the run, and says
//! where in it something is wrong.

use super::error::InputError;
use crate::value::{Json, Map};

/// A value of a document, and its place there.
#[derive(Clone, Debug)]
pub(super) struct Incoming<'a> {
    value: &'a Json,
    place: String,
}

impl<'a> Incoming<'a> {
    /// The whole document.
    pub(super) fn root(value: &'a Json) -> Self {
        Self { value, place: String::new() }
    }

    /// Keys and indexes from the root to here, with slashes between.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The property `name` of this object, which must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<Self, InputError> {
        let place = self.step(name);
        let value = self.object()?.get(name);
        value.map(|value| self.at(value, name)).ok_or(InputError::Missing { name, place })
    }

    /// The property `name` of this object, unless it is absent or null.
    pub(super) fn optional(&self, name: &str) -> Result<Option<Self>, InputError> {
        let value = self.object()?.get(name).filter(|value| !value.is_null());
        Ok(value.map(|value| self.at(value, name)))
    }

    /// The items of this list.
    pub(super) fn items(&self) -> Result<impl Iterator<Item = Self>, InputError> {
        let items = self.value.as_array().ok_or_else(|| self.wrong_type("list"))?;
        Ok(items.iter().enumerate().map(|(index, item)| self.at(item, &index.to_string())))
    }

    /// Whether this is a list or a text with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.value.as_array().is_some_and(Vec::is_empty) || self.value.as_str() == Some("")
    }

    pub(super) fn object(&self) -> Result<&'a Map, InputError> {
        self.value.as_object().ok_or_else(|| self.wrong_type("object"))
    }

    pub(super) fn text(&self) -> Result<&'a str, InputError> {
        self.value.as_str().ok_or_else(|| self.wrong_type("string"))
    }

    /// This text, which must be one of `expected`.
    pub(super) fn one_of(
        &self,
        expected: &'static [&'static str],
    ) -> Result<&'static str, InputError> {
        let found = expected.iter().find(|text| self.value.as_str() == Some(text));
        found.copied().ok_or_else(|| InputError::NotOneOf {
            value: InputError::excerpt(self.value),
            expected,
            place: self.place.clone(),
        })
    }

    /// This list of texts.
    pub(super) fn texts(&self) -> Result<Vec<String>, InputError> {
        self.items()?.map(|item| item.text().map(str::to_owned)).collect()
    }

    fn wrong_type(&self, expected: &'static str) -> InputError {
        let value = InputError::excerpt(self.value);
        InputError::WrongType { value, expected, place: self.place.clone() }
    }

    fn at(&self, value: &'a Json, step: &str) -> Self {
        Self { value, place: self.step(step) }
    }

    fn step(&self, step: &str) -> String {
        let separator = if self.place.is_empty() { "" } else { "/" };
        format!("{}{separator}{step}", self.place)
    }
}
