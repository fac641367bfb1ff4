//! Header fields of requests and responses.

/// Header fields in order; names are compared without regard to case.
///
/// A field that is set again keeps its place and takes the new spelling, as
/// the dictionaries of `requests` do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of the field `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether there is a field `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets the field `name`, in the place of the one that was there.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(&name)) {
            Some(field) => *field = (name, value),
            None => self.0.push((name, value)),
        }
    }

    /// Sets the field `name`, or adds to the list it holds already.
    pub fn append(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some((_, list)) => {
                list.push_str(", ");
                list.push_str(value);
            }
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Removes the field `name` and gives its value.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let idx = self.0.iter().position(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(idx).1)
    }

    /// All fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut headers = Self::default();
        for (name, value) in fields {
            headers.set(name, value);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case() {
        let headers = Headers::from_iter([("X-Key", "a")]);
        assert_eq!(headers.get("x-kEY"), Some("a"));
        assert!(!headers.contains("x-ke"));
    }

    #[test]
    fn a_field_set_again_keeps_its_place() {
        let mut headers = Headers::from_iter([("Accept", "*/*"), ("X-B", "b")]);
        headers.set("accept", "text/csv");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("accept", "text/csv"), ("X-B", "b")]);
        assert_eq!(headers.remove("ACCEPT").as_deref(), Some("text/csv"));
        assert_eq!(headers.len(), 1);
    }

    #[test]
    fn repeated_fields_are_joined() {
        let mut headers = Headers::default();
        headers.append("Link", "<a>");
        headers.append("link", "<b>");
        assert_eq!(headers.get("link"), Some("<a>, <b>"));
    }
}
