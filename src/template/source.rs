//! A template: its source, and what became of reading it.

use std::fmt;
use std::sync::Arc;

use super::ast::{Expr, Stmt};
use super::cx::Cx;
use super::dict::Key;
use super::error::EvalError;
use super::eval::Evaluation;
use super::functions::Function;
use super::lexer;
use super::scope::Scope;
use super::scoping::{self, Tree};
use super::statements;
use super::syntax::SyntaxError;
use super::traits::Traits;
use super::value::{Text, Value};
use crate::value::Map;

/// A parsed template. Cloning is cheap.
#[derive(Clone)]
pub struct Template(Arc<Parsed>);

struct Parsed {
    source: String,
    kind: Kind,
    /// The names that come from outside, functions that every template knows not counted.
    variables: Vec<String>,
    traits: Traits,
}

enum Kind {
    /// Text without tags, as it renders when that is not the source itself.
    Text(Option<String>),
    Tree(Tree),
    Broken(SyntaxError),
}

/// What a template evaluates to before it is read as a literal.
pub(super) enum Rendered<'a> {
    /// Text.
    Text(Text<'a>),
    /// The value of the only expression, which has not been turned into text.
    Value(Value<'a>),
}

impl Template {
    /// Reads a template. A syntax error is kept inside: the reference meets it
    /// only when it evaluates the template.
    pub fn parse(source: &str) -> Self {
        let normalized = lexer::normalize(source);
        let kind = if lexer::has_tag(source) {
            read(&normalized).map_or_else(Kind::Broken, Kind::Tree)
        } else {
            Kind::Text((normalized != source).then_some(normalized))
        };
        let mut variables = Vec::new();
        let mut traits = Traits::default();
        if let Kind::Tree(tree) = &kind {
            let imports = tree.imports.iter();
            variables = imports.filter(|name| Function::named(name).is_none()).cloned().collect();
            traits = tree.traits;
        }
        Self(Arc::new(Parsed { source: source.to_owned(), kind, variables, traits }))
    }

    /// The text that was read.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// What is wrong with the source, if anything is.
    pub fn syntax_error(&self) -> Option<&SyntaxError> {
        match &self.0.kind {
            Kind::Broken(error) => Some(error),
            _ => None,
        }
    }

    /// Whether it is plain text, without any template syntax.
    pub fn is_literal(&self) -> bool {
        matches!(self.0.kind, Kind::Text(_))
    }

    /// The variables that it needs from outside, in the order in which they
    /// appear; also those in branches that are never taken.
    pub fn variables(&self) -> &[String] {
        &self.0.variables
    }

    /// The parts of a variable that it looks at, as the keys that lead to them; no keys stand for
    /// the whole. It may look at less, but never at more.
    pub fn reads<'t>(&'t self, variable: &'t str) -> impl Iterator<Item = &'t [String]> {
        let tree = match &self.0.kind {
            Kind::Tree(tree) => Some(tree),
            Kind::Text(_) | Kind::Broken(_) => None,
        };
        tree.into_iter().flat_map(|tree| tree.reads.of(variable))
    }

    /// Whether evaluating it twice with the same variables may give two results.
    pub fn is_volatile(&self) -> bool {
        self.0.traits.is_volatile
    }

    /// The text as which a template without syntax renders.
    pub(super) fn literal_text(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Text(text) => Some(text.as_deref().unwrap_or(&self.0.source)),
            _ => None,
        }
    }

    /// The statements of a template that has any.
    pub(super) fn statements(&self) -> Option<&[Stmt]> {
        match &self.0.kind {
            Kind::Tree(tree) => Some(&tree.body.statements),
            _ => None,
        }
    }

    /// The expression of a template that is nothing but one.
    pub(super) fn only_expression(&self) -> Option<&Expr> {
        match self.statements()? {
            [Stmt::Print(expr)] => Some(expr),
            _ => None,
        }
    }

    /// The statements of the template, and of each of its blocks.
    pub(super) fn bodies(&self) -> impl Iterator<Item = &[Stmt]> {
        let tree = match &self.0.kind {
            Kind::Tree(tree) => Some(tree),
            Kind::Text(_) | Kind::Broken(_) => None,
        };
        tree.into_iter().flat_map(|tree| {
            let blocks = tree.blocks.iter().map(|block| &*block.body.statements);
            std::iter::once(&*tree.body.statements).chain(blocks)
        })
    }

    /// Evaluates the template; a type error is still an error here.
    pub(super) fn render<'a>(
        &'a self,
        scope: &Scope<'a>,
        parameters: Option<&'a Map>,
    ) -> Result<Rendered<'a>, EvalError> {
        let tree = match &self.0.kind {
            Kind::Text(text) => {
                let text = text.as_deref().unwrap_or(&self.0.source);
                return Ok(Rendered::Text(Text::Borrowed(text)));
            }
            Kind::Broken(error) => return Err(EvalError::Syntax(error.clone())),
            Kind::Tree(tree) => tree,
        };
        let imports = self.imports(tree, scope, parameters)?;
        let cx = Cx::new(scope.run());
        let mut evaluation = Evaluation::new(&cx, tree, imports);
        match self.only_expression() {
            Some(expr) => {
                evaluation.begin();
                evaluation.eval(expr).map(Rendered::Value)
            }
            None => evaluation.render().map(|text| Rendered::Text(Text::from(text))),
        }
    }

    /// The values of the names that come from outside.
    fn imports<'a>(
        &self,
        tree: &Tree,
        scope: &Scope<'a>,
        parameters: Option<&'a Map>,
    ) -> Result<Vec<Value<'a>>, EvalError> {
        let mut imports = Vec::with_capacity(tree.imports.len());
        for name in &tree.imports {
            let value = match (name.as_str(), parameters) {
                ("parameters", Some(parameters)) => Value::JsonDict(parameters),
                _ => match (scope.get(name), Function::named(name)) {
                    (Some(variable), _) => variable.value()?,
                    (None, Some(function)) => Value::Function(function),
                    (None, None) => return Err(self.undeclared(scope, parameters)),
                },
            };
            imports.push(if self.0.traits.mutates { thaw(&value, 0)? } else { value });
        }
        Ok(imports)
    }

    fn undeclared(&self, scope: &Scope<'_>, parameters: Option<&Map>) -> EvalError {
        let is_known = |name: &str| {
            scope.get(name).is_some() || (name == "parameters" && parameters.is_some())
        };
        let unknown = self.0.variables.iter().filter(|name| !is_known(name));
        let names: Vec<_> = unknown.map(|name| format!("'{name}'")).collect();
        let mut known: Vec<_> = scope.names().collect();
        known.extend(parameters.map(|_| "parameters"));
        EvalError::Undeclared { names: names.join(", "), known: known.join(", ") }
    }
}

fn read(source: &str) -> Result<Tree, SyntaxError> {
    let (statements, blocks) = statements::parse(source)?;
    scoping::resolve(statements, blocks, source)
}

/// A copy of a value of the scope that the template can change, and sees changed.
fn thaw<'a>(value: &Value<'a>, depth: usize) -> Result<Value<'a>, EvalError> {
    if depth > 300 {
        return Err(EvalError::Recursion);
    }
    Ok(match value {
        Value::JsonList(items) => {
            let items = items.iter().map(|item| thaw(&Value::from_json(item), depth + 1));
            Value::list(items.collect::<Result<_, _>>()?)
        }
        Value::JsonDict(map) => {
            let items = map.iter().map(|(key, item)| {
                Ok((Key::str(key.as_str()), thaw(&Value::from_json(item), depth + 1)?))
            });
            Value::dict(items.collect::<Result<_, EvalError>>()?)
        }
        _ => value.clone(),
    })
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.source()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_variables(source: &str, expect: &[&str]) {
        let template = Template::parse(source);
        assert_eq!(template.syntax_error(), None);
        assert_eq!(template.variables(), expect);
    }

    #[test]
    fn variables_are_those_that_nothing_sets() {
        check_variables("{{ config.a }}{{ now_utc() }}", &["config"]);
        check_variables("{% if false %}{{ x }}{% endif %}", &["x"]);
        check_variables("{% set x = 1 %}{{ x }}", &[]);
        check_variables("{{ x }}{% set x = 1 %}", &["x"]);
        check_variables("{% if a %}{% set x = 1 %}{% endif %}{{ x }}", &["a", "x"]);
        check_variables("{% for x in l %}{{ x }}{{ loop.index }}{% endfor %}", &["l"]);
        check_variables("{% for x in l %}{% endfor %}{{ x }}{{ loop }}", &["l", "x", "loop"]);
        check_variables(
            "{% macro m(a, b=c) %}{{ a }}{{ caller() }}{% endmacro %}{{ m(1) }}",
            &["c"],
        );
        check_variables("{% with a = b %}{{ a }}{% endwith %}{{ self }}", &["b"]);
        check_variables(
            "{% set ns = namespace(v=0) %}{% set ns.v = 1 %}{{ range(3) }}",
            &["range"],
        );
    }

    #[track_caller]
    fn check_error(source: &str, class_name: &str, message: &str, (line, column): (usize, usize)) {
        let template = Template::parse(source);
        let error = template.syntax_error().unwrap();
        assert_eq!((error.class_name(), error.message.as_str()), (class_name, message));
        assert_eq!((error.line, error.column), (line, column));
    }

    #[test]
    fn faults_have_a_place() {
        check_error(
            "{{ 5",
            "TemplateSyntaxError",
            "unexpected end of template, expected 'end of print statement'.",
            (1, 5),
        );
        check_error(
            "a\n{{ 1 2 }}",
            "TemplateSyntaxError",
            "expected token 'end of print statement', got 'integer'",
            (2, 6),
        );
        check_error(
            "{% for x in y %}",
            "TemplateSyntaxError",
            "Unexpected end of template. Jinja was looking for the following tags: 'endfor' or \
             'else'. The innermost block that needs to be closed is 'for'.",
            (1, 17),
        );
        check_error("{{ a | nope }}", "TemplateAssertionError", "No filter named 'nope'.", (1, 8));
        check_error(
            "{% break %}",
            "TemplateSyntaxError",
            "Encountered unknown tag 'break'.",
            (1, 4),
        );
    }

    #[test]
    fn nesting_has_a_limit() {
        let deep = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
        let chain = format!("{{{{ a{} }}}}", ".b".repeat(10_000));
        let signs = format!("{{{{ {}1 }}}}", "-".repeat(10_000));
        let nots = format!("{{{{ {}1 }}}}", "not ".repeat(10_000));
        let loops = "{% for a in b %}".repeat(10_000);
        for source in [deep, chain, signs, nots, loops] {
            let template = Template::parse(&source);
            assert_eq!(template.syntax_error().unwrap().class_name(), "RecursionError");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(
            source in "(\\{\\{|\\}\\}|\\{%|%\\}| |if|for|in|is|not|set|else|end|block|macro|call|with|filter|print|[a-c]|[0-9.'\"\\[\\](){}|,:=+*/~<>!-]|\\PC)*",
        ) {
            let template = Template::parse(&source);
            prop_assert_eq!(template.source(), source);
        }
    }
}
