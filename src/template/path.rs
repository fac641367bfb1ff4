//! Templates that are only a path into a variable, which need no evaluation.

use super::ast::Expr;
use super::scope::{Scope, Variable};
use crate::value::{Json, Map};

/// Attributes of mappings, which an attribute access finds before any key.
const ATTRIBUTES: [&str; 14] = [
    "clear",
    "copy",
    "cursor_slice",
    "extra_fields",
    "fromkeys",
    "get",
    "items",
    "keys",
    "partition",
    "pop",
    "popitem",
    "setdefault",
    "update",
    "values",
];

/// Whether an attribute of this name is a key of the mapping that it is taken from.
pub(super) fn is_key(attribute: &str) -> bool {
    !attribute.starts_with('_') && !ATTRIBUTES.contains(&attribute)
}

/// `variable.key['key'].get('key')`, over mappings only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    variable: String,
    keys: Vec<String>,
}

impl Path {
    /// The path that an expression is.
    pub(super) fn of(expr: &Expr) -> Option<Self> {
        match expr {
            Expr::Name(name) => Some(Self { variable: name.name.clone(), keys: Vec::new() }),
            Expr::Attribute(value, name) => {
                Self::of(value).filter(|_| is_key(name)).map(|path| path.then(name))
            }
            Expr::Item(parts) => match &parts.1 {
                Expr::Str(key) => Self::of(&parts.0).map(|path| path.then(key)),
                _ => None,
            },
            Expr::Call(call) => match (&call.callee, call.arguments.positional.as_slice()) {
                (Expr::Attribute(value, method), [Expr::Str(key)])
                    if method == "get" && call.arguments.is_only_positional() =>
                {
                    Self::of(value).map(|path| path.then(key))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn then(mut self, key: &str) -> Self {
        self.keys.push(key.to_owned());
        self
    }

    /// What lies under the path, if everything on the way is there.
    pub(super) fn find<'a>(
        &self,
        scope: &Scope<'a>,
        parameters: Option<&'a Map>,
    ) -> Option<&'a Json> {
        let (first, rest) = self.keys.split_first()?;
        let root = match (self.variable.as_str(), parameters) {
            ("parameters", Some(parameters)) => parameters.get(first)?,
            _ => match scope.get(&self.variable)? {
                Variable::Json(json) => json.as_object()?.get(first)?,
                Variable::Map(map) => map.get(first)?,
                Variable::StreamSlice(slice) => slice.get(first)?,
                _ => return None,
            },
        };
        rest.iter().try_fold(root, |json, key| json.as_object()?.get(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    #[track_caller]
    fn check(source: &str, expect: Option<&[&str]>) {
        let template = Template::parse(source);
        let path = template.only_expression().and_then(Path::of);
        let shown = path.map(|path| [vec![path.variable], path.keys].concat());
        assert_eq!(shown, expect.map(|keys| keys.iter().map(|key| (*key).to_owned()).collect()));
    }

    #[test]
    fn paths_are_recognised() {
        check("{{ config['x'] }}", Some(&["config", "x"]));
        check("{{ record.a['items'].b }}", Some(&["record", "a", "items", "b"]));
        check("{{ response.get('next') }}", Some(&["response", "next"]));
        check("{{ response.get('next', 1) }}", None);
        check("{{ config.items }}", None);
        check("{{ config._x }}", None);
        check("{{ config[0] }}", None);
        check(" {{ config.x }}", None);
    }
}
