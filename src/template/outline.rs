//! What a template is made of, for those who judge it without running it.

use super::ast::{Arguments, Expr, Stmt};
use super::functions::Function;
use super::source::Template;
use super::{filters, tests, walk};

/// A filter, a test, or a function that a template names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What it is used as.
    pub kind: UseKind,
    /// Its name.
    pub name: String,
    /// Whether there is such a thing.
    pub is_known: bool,
    /// The positional arguments that are texts, written out; nothing for others.
    pub texts: Vec<Option<String>>,
}

/// What a name is used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseKind {
    /// `value | name`.
    Filter,
    /// `value is name`.
    Test,
    /// `name()`.
    Function,
}

impl UseKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Test => "test",
            Self::Function => "function",
        }
    }
}

impl Template {
    /// The filters, tests, and functions that it names, those that are arguments of `map` and
    /// `select` included.
    pub fn uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        let mut note = |expr: &mut Expr| note_uses(expr, &mut uses);
        for body in self.bodies() {
            walk::expressions(&mut body.to_vec(), &mut note);
        }
        uses
    }

    /// Whether it may evaluate to what Python calls false; where in doubt, it may.
    pub fn may_be_false(&self) -> bool {
        match (self.literal_text(), self.bodies().next()) {
            (Some(text), _) => !is_true_text(text),
            (None, Some(body)) => !body.iter().any(|statement| match statement {
                Stmt::Text(text) => is_true_text(text),
                Stmt::Print(expr) => is_true(expr),
                _ => false,
            }),
            (None, None) => true,
        }
    }

    /// Whether it is one path into one variable, such as `{{ config['a']['b'] }}`.
    pub fn is_path(&self) -> bool {
        let mut expr = self.only_expression();
        while let Some(part) = expr {
            expr = match part {
                Expr::Name(_) => return true,
                Expr::Attribute(value, _) => Some(value),
                Expr::Item(parts) if matches!(parts.1, Expr::Str(_)) => Some(&parts.0),
                _ => None,
            };
        }
        false
    }
}

/// Texts that read as what Python calls false are few; one with a letter is none of them,
/// unless it is one of two words.
fn is_true_text(text: &str) -> bool {
    let text = text.trim();
    text.contains(char::is_alphabetic) && !["None", "False"].contains(&text)
}

fn is_true(expr: &Expr) -> bool {
    match expr {
        Expr::Str(text) => is_true_text(text),
        Expr::Int(int) => *int > 0,
        Expr::Binary(super::ast::BinaryOp::Add, sides) => is_true(&sides.0) || is_true(&sides.1),
        Expr::Or(sides) => is_true(&sides.0) || is_true(&sides.1),
        Expr::And(sides) => is_true(&sides.0) && is_true(&sides.1),
        Expr::Concat(parts) => parts.iter().any(is_true),
        Expr::Conditional(parts) => {
            is_true(&parts.then) && parts.otherwise.as_ref().is_some_and(is_true)
        }
        _ => false,
    }
}

fn note_uses(expr: &mut Expr, uses: &mut Vec<Use>) {
    match expr {
        Expr::Filter(call) => {
            let texts = texts(&call.arguments);
            note_named(&call.name, &texts, uses);
            let is_known = call.filter.is_some();
            uses.push(Use { kind: UseKind::Filter, name: call.name.clone(), is_known, texts });
        }
        Expr::Test(call) => {
            let (name, texts) = (call.name.clone(), texts(&call.arguments));
            uses.push(Use { kind: UseKind::Test, name, is_known: call.test.is_some(), texts });
        }
        Expr::Call(call) => {
            if let Expr::Name(name) = &call.callee {
                let (name, texts) = (name.name.clone(), texts(&call.arguments));
                let is_known = Function::named(&name).is_some();
                uses.push(Use { kind: UseKind::Function, name, is_known, texts });
            }
        }
        _ => {}
    }
    expr.children().into_iter().for_each(|child| note_uses(child, uses));
}

/// The filter or test that the arguments of another filter name.
fn note_named(filter: &str, texts: &[Option<String>], uses: &mut Vec<Use>) {
    let (kind, idx) = match filter {
        "map" => (UseKind::Filter, 0),
        "select" | "reject" => (UseKind::Test, 0),
        "selectattr" | "rejectattr" => (UseKind::Test, 1),
        _ => return,
    };
    let Some(Some(name)) = texts.get(idx) else { return };
    let is_known = match kind {
        UseKind::Test => tests::find(name).is_some(),
        _ => filters::find(name).is_some(),
    };
    let texts = texts[idx + 1..].to_vec();
    uses.push(Use { kind, name: name.clone(), is_known, texts });
}

fn texts(arguments: &Arguments) -> Vec<Option<String>> {
    let text = |expr: &Expr| match expr {
        Expr::Str(text) => Some(text.clone()),
        _ => None,
    };
    arguments.positional.iter().map(text).collect()
}

#[cfg(test)]
mod unit {
    use super::*;

    #[track_caller]
    fn check_uses(source: &str, expect: &[&str]) {
        let shown = |it: Use| {
            let texts: Vec<_> = it.texts.into_iter().map(Option::unwrap_or_default).collect();
            let mark = if it.is_known { "" } else { "?" };
            format!("{}{mark} {}({})", it.kind.word(), it.name, texts.join(","))
        };
        let uses: Vec<_> = Template::parse(source).uses().into_iter().map(shown).collect();
        assert_eq!(uses, expect);
    }

    #[test]
    fn what_a_template_names_is_listed() {
        check_uses("{{ a | regex_search('(x)') }}", &["filter regex_search((x))"]);
        check_uses("{{ a if a is none else len(b) }}", &["test none()", "function? len()"]);
        check_uses(
            "{{ (a | nope) if b else now_utc() - duration('P1D') }}",
            &["filter? nope()", "function now_utc()", "function duration(P1D)"],
        );
        check_uses(
            "{{ a | map('lower') | selectattr('x', 'contains', 'y') }}",
            &[
                "test? contains(y)",
                "filter selectattr(x,contains,y)",
                "filter lower()",
                "filter map(lower)",
            ],
        );
        check_uses(
            "{% if x | int > 1 %}{{ y | trim }}{% endif %}",
            &["filter int()", "filter trim()"],
        );
        check_uses("plain", &[]);
    }

    #[track_caller]
    fn check_false(source: &str, expect: bool) {
        assert_eq!(Template::parse(source).may_be_false(), expect, "{source}");
    }

    #[test]
    fn only_what_is_certain_is_never_false() {
        check_false("{{ response.next }}", true);
        check_false("{{ response.page + 1 if response.more }}", true);
        check_false("{{ response.page | int }}", true);
        check_false("{% if response.more %}x{% endif %}", true);
        check_false("{{ broken", true);
        check_false("0", true);
        check_false("abc", false);
        check_false("after={{ response.next }}", false);
        check_false("{{ response.page + 1 }}", false);
        check_false("{{ 'a' ~ response.page }}", false);
        check_false("{{ 'a' if response.x else 'b' }}", false);
    }

    #[test]
    fn paths_are_told_from_other_expressions() {
        assert!(Template::parse("{{ config['a'].b }}").is_path());
        assert!(!Template::parse("{{ config['a'] or 1 }}").is_path());
        assert!(!Template::parse("x{{ config['a'] }}").is_path());
    }
}
