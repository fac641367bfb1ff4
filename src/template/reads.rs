//! Which parts of its variables a template looks at.

use super::ast::{Expr, Stmt};
use super::path::is_key;
use super::walk;

/// What a template looks at: a variable, and the keys that lead to the part; without keys, all of
/// it. It may look at less, but never at more.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads(Vec<(String, Vec<String>)>);

impl Reads {
    /// What the statements look at.
    pub(super) fn note(&mut self, statements: &mut [Stmt]) {
        walk::expressions(statements, &mut |expr| self.note_expr(expr));
    }

    /// The parts of a variable.
    pub(super) fn of<'r>(&'r self, variable: &'r str) -> impl Iterator<Item = &'r [String]> {
        self.0.iter().filter(move |(name, _)| name == variable).map(|(_, keys)| keys.as_slice())
    }

    fn note_expr(&mut self, expr: &mut Expr) {
        match self.path_of(expr) {
            Some(path) => self.0.push(path),
            None => expr.children().into_iter().for_each(|child| self.note_expr(child)),
        }
    }

    /// The path that an expression is; what its defaults look at is noted.
    fn path_of(&mut self, expr: &mut Expr) -> Option<(String, Vec<String>)> {
        let (value, key) = match expr {
            Expr::Name(name) => return Some((name.name.clone(), Vec::new())),
            Expr::Attribute(value, name) if is_key(name) => (&mut **value, name.clone()),
            Expr::Item(parts) => match &parts.1 {
                Expr::Str(key) => (&mut parts.0, key.clone()),
                _ => return None,
            },
            Expr::Call(call) if call.arguments.is_only_positional() => {
                let Expr::Attribute(value, method) = &mut call.callee else { return None };
                let [Expr::Str(key), default @ ..] = call.arguments.positional.as_mut_slice()
                else {
                    return None;
                };
                if method != "get" {
                    return None;
                }
                for default in default {
                    self.note_expr(default);
                }
                (&mut **value, key.clone())
            }
            _ => return None,
        };
        let (variable, mut keys) = self.path_of(value)?;
        keys.push(key);
        Some((variable, keys))
    }
}

#[cfg(test)]
mod tests {
    use crate::template::Template;

    /// The parts of `response` as dotted paths.
    #[track_caller]
    fn check(source: &str, expect: &[&str]) {
        let template = Template::parse(source);
        let parts: Vec<_> = template.reads("response").map(|keys| keys.join(".")).collect();
        assert_eq!(parts, expect);
    }

    #[test]
    fn keys_are_followed_as_far_as_they_are_known() {
        check("{{ response.next }}", &["next"]);
        check(
            "{{ response['meta'].page.next if response.meta else '' }}",
            &["meta", "meta.page.next"],
        );
        check("{{ response.get('a', {}).get('b', response.c) }}", &["c", "a.b"]);
        check("{{ response['data'][0].id }}", &["data"]);
        check("{{ response['data'][-1]['id'] | int + 1 }}", &["data"]);
        check("{% if response.more %}{{ last_record.id }}{% endif %}", &["more"]);
    }

    #[test]
    fn anything_else_looks_at_the_whole() {
        check("{{ response | length }}", &[""]);
        check("{{ response[0] }}", &[""]);
        check("{{ response.items() }}", &[""]);
        check("{{ response[config.key] }}", &[""]);
        check("{% set r = response %}{{ r.next }}", &[""]);
        check("{% for key in response %}{{ key }}{% endfor %}", &[""]);
    }

    #[test]
    fn other_variables_do_not_count() {
        check("{{ config.response }} {{ 'response' }}", &[]);
    }
}
