//! Whether a condition takes a full page for the last one when pages are asked for with fewer
//! records than the manifest says.

use super::ast::{CompareOp, Expr, Stmt};
use super::interpolate::is_false;
use super::source::Template;
use super::value::Value;

/// How many records the page had.
const LAST_PAGE_SIZE: &str = "last_page_size";
/// How many were asked for.
const PAGE_SIZE: &str = "page_size";

impl Template {
    /// What the condition compares the number of records with, in words, if it holds for every
    /// page with fewer records than some number which does not follow the size that was asked
    /// for; no page asks for fewer than `smallest`.
    ///
    /// Only comparisons that decide the condition are looked at, as in the reference: those that
    /// are reached through `and` and `or`.
    pub fn fixed_page_limit(&self, smallest: i64) -> Option<String> {
        let mut comparisons = Vec::new();
        gather_comparisons(deciding_expression(self.statements()?)?, &mut comparisons);
        comparisons.into_iter().find_map(|comparison| fixed_limit(comparison, smallest))
    }
}

type Comparison<'t> = (&'t Expr, CompareOp, &'t Expr);

/// The expression whose truth is that of the whole template.
fn deciding_expression(statements: &[Stmt]) -> Option<&Expr> {
    match statements {
        [Stmt::Print(expr)] => Some(expr),
        [Stmt::If(branches, otherwise)] if otherwise.is_empty() => match branches.as_slice() {
            [(test, body)] => (!is_false(&Value::from(rendered(body)?))).then_some(test),
            _ => None,
        },
        _ => None,
    }
}

/// What statements render, if that is always the same.
fn rendered(statements: &[Stmt]) -> Option<String> {
    let render = |statement: &Stmt| match statement {
        Stmt::Text(text) => Some(text.clone()),
        Stmt::Print(Expr::Str(text)) => Some(text.clone()),
        Stmt::Print(expr) => constant(expr),
        _ => None,
    };
    statements.iter().map(render).collect()
}

fn gather_comparisons<'t>(expr: &'t Expr, comparisons: &mut Vec<Comparison<'t>>) {
    match expr {
        Expr::And(operands) | Expr::Or(operands) => {
            gather_comparisons(&operands.0, comparisons);
            gather_comparisons(&operands.1, comparisons);
        }
        Expr::Compare(first, rest) => {
            let lefts = std::iter::once(&**first).chain(rest.iter().map(|(_, right)| right));
            comparisons.extend(lefts.zip(rest).map(|(left, (op, right))| (left, *op, right)));
        }
        _ => {}
    }
}

fn fixed_limit((left, op, right): Comparison<'_>, smallest: i64) -> Option<String> {
    let (left, op, right) = match (reads(left, LAST_PAGE_SIZE), reads(right, LAST_PAGE_SIZE)) {
        (true, false) => (left, op, right),
        (false, true) => (right, mirrored(op), left),
        _ => return None,
    };
    let first_safe = match op {
        CompareOp::Lt => smallest,
        CompareOp::Le => smallest - 1,
        _ => return None,
    };
    let is_computed = matches!(left, Expr::Binary(..) | Expr::And(_) | Expr::Or(_));
    let is_safe = matches!(right, Expr::Int(limit) if *limit <= first_safe);
    (!is_computed && !is_safe && !reads(right, PAGE_SIZE)).then(|| describe(right))
}

fn mirrored(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        other => other,
    }
}

/// Whether an expression looks at a variable.
fn reads(expr: &Expr, variable: &str) -> bool {
    match expr {
        Expr::Name(name) => name.name == variable,
        _ => expr.clone().children().into_iter().any(|child| reads(child, variable)),
    }
}

/// An expression in the words of the reference.
fn describe(expr: &Expr) -> String {
    let inner = |expr: &Expr| describe(expr).trim_matches('`').to_owned();
    match expr {
        Expr::Name(name) => format!("`{}`", name.name),
        Expr::Attribute(object, name) => format!("`{}.{name}`", inner(object)),
        Expr::Item(parts) if let Some(key) = constant(&parts.1) => {
            format!("`{}[{key}]`", inner(&parts.0))
        }
        _ => constant(expr).unwrap_or_else(|| "a value the connector computes itself".to_owned()),
    }
}

/// `repr()` of a literal.
fn constant(expr: &Expr) -> Option<String> {
    let value = match expr {
        Expr::None => Value::None,
        Expr::Bool(flag) => Value::Bool(*flag),
        Expr::Int(int) => Value::Int(*int),
        Expr::Float(float) => Value::Float(*float),
        Expr::Str(text) => Value::from(text.clone()),
        Expr::BigInt(int) => return Some(int.to_string()),
        _ => return None,
    };
    value.py_repr().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expect` is what the page is compared with; nothing if the condition is fine, or not
    /// understood.
    #[track_caller]
    fn check(condition: &str, expect: Option<&str>) {
        let limit = Template::parse(condition).fixed_page_limit(10);
        assert_eq!(limit.as_deref(), expect, "{condition}");
    }

    #[test]
    fn limits_that_do_not_follow_are_found() {
        check("{{ last_page_size < 100 }}", Some("100"));
        check("{{ last_page_size <= 10 }}", Some("10"));
        check("{{ 100 > last_page_size }}", Some("100"));
        check("{{ last_page_size | int < '5' }}", Some("'5'"));
        check("{{ last_page_size < config['page_size'] }}", Some("`config['page_size']`"));
        check("{{ last_page_size < config.page_size }}", Some("`config.page_size`"));
        check("{{ last_page_size < limit }}", Some("`limit`"));
        check("{{ last_page_size < -1 }}", Some("a value the connector computes itself"));
        check("{{ not response.next or last_page_size < 50 }}", Some("50"));
        check("{% if last_page_size < 100 %}true{% endif %}", Some("100"));
        check("{{ 0 < last_page_size < 100 }}", Some("100"));
    }

    #[test]
    fn others_are_let_pass() {
        check("{{ last_page_size < page_size }}", None);
        check("{{ last_page_size < page_size | int }}", None);
        check("{{ last_page_size < [page_size, 100] | max }}", None);
        check("{{ last_page_size == 0 }}", None);
        check("{{ last_page_size < 10 }}", None);
        check("{{ last_page_size <= 9 }}", None);
        check("{{ last_page_size > 100 }}", None);
        check("{{ not (last_page_size >= 100) }}", None);
        check("{{ last_page_size - 100 < 0 }}", None);
        check("{{ response.data | length < 100 }}", None);
        check("text {{ last_page_size < 100 }}", None);
        check("{% if last_page_size < 100 %}false{% endif %}", None);
        check("{% if last_page_size < 100 %}1{% else %}{% endif %}{{ 2 }}", None);
        check("{{ last_page_size <", None);
    }
}
