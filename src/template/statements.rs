//! Reads statements and the text around them.

use super::ast::{
    Autoescape, Block, CallBlock, Expr, FilterBlock, For, ForTest, Load, Macro, Name, Scoped,
    SetBlock, Stmt, Target, With,
};
use super::lexer::Kind;
use super::parser::{Parsed, Parser, TupleRules};

/// Reads a [normalised](super::lexer::normalize) template and its blocks.
pub(super) fn parse(source: &str) -> Parsed<(Vec<Stmt>, Vec<Block>)> {
    let mut parser = Parser::new(source)?;
    let body = parser.body(None)?;
    Ok((body, parser.blocks))
}

impl Parser<'_> {
    /// Text and tags, up to one of the tags that end it.
    fn body(&mut self, end_tags: Option<&'static [&'static str]>) -> Parsed<Vec<Stmt>> {
        let mut body = Vec::new();
        self.end_tags.extend(end_tags);
        loop {
            let token = self.advance()?;
            match token.kind {
                Kind::Data(text) => body.push(Stmt::Text(text)),
                Kind::VariableBegin => {
                    body.push(Stmt::Print(self.tuple(&TupleRules::default())?));
                    self.expect_kind(&Kind::VariableEnd)?;
                }
                Kind::BlockBegin => {
                    let is_end = |tags: &[&str]| tags.iter().any(|tag| self.is_keyword(tag));
                    if end_tags.is_some_and(is_end) {
                        self.end_tags.pop();
                        return Ok(body);
                    }
                    body.push(self.nested(Self::statement)?);
                    self.expect_kind(&Kind::BlockEnd)?;
                }
                _ => match end_tags {
                    None => return Ok(body),
                    Some(_) => return self.fail_tag(None),
                },
            }
        }
    }

    /// The body of a statement, from the end of its first tag on; the name of
    /// the tag that ends it comes next.
    fn statements(&mut self, end_tags: &'static [&'static str]) -> Parsed<Scoped> {
        // Python's colon is allowed.
        self.skip_op(":")?;
        self.expect_kind(&Kind::BlockEnd)?;
        Ok(Scoped { statements: self.body(Some(end_tags))?, ..Scoped::default() })
    }

    fn statements_until(&mut self, end_tags: &'static [&'static str]) -> Parsed<Scoped> {
        let body = self.statements(end_tags)?;
        self.advance()?;
        Ok(body)
    }

    /// The tag `name` is not known, or not expected; without a name, the template ends too early.
    fn fail_tag<T>(&self, name: Option<&str>) -> Parsed<T> {
        let mut sentences = vec![match name {
            None => "Unexpected end of template.".to_owned(),
            Some(name) => format!("Encountered unknown tag '{name}'."),
        }];
        if let Some(expected) = self.end_tags.last() {
            let listed: Vec<_> = expected.iter().map(|tag| format!("'{tag}'")).collect();
            let listed = listed.join(" or ");
            let is_misplaced =
                name.is_some_and(|name| self.end_tags.iter().any(|tags| tags.contains(&name)));
            sentences.push(if is_misplaced {
                format!(
                    "You probably made a nesting mistake. Jinja is expecting this tag, but \
                     currently looking for {listed}."
                )
            } else {
                format!("Jinja was looking for the following tags: {listed}.")
            });
        }
        if let Some(innermost) = self.open_tags.last() {
            sentences
                .push(format!("The innermost block that needs to be closed is '{innermost}'."));
        }
        self.fail_here(sentences.join(" "))
    }

    fn statement(&mut self) -> Parsed<Stmt> {
        let Kind::Name(tag) = &self.current.kind else {
            return self.fail_here("tag name expected");
        };
        let tag = tag.clone();
        self.open_tags.push(tag.clone());
        let statement = match tag.as_str() {
            "for" => self.for_loop()?,
            "if" => self.condition()?,
            "set" => self.set()?,
            "with" => self.with()?,
            "filter" => self.filter_block()?,
            "macro" => self.macro_definition()?,
            "call" => self.call_block()?,
            "block" => self.block()?,
            "autoescape" => self.autoescape()?,
            "print" => self.print()?,
            "include" | "import" | "from" | "extends" => self.load(&tag)?,
            _ => {
                self.open_tags.pop();
                return self.fail_tag(Some(&tag));
            }
        };
        self.open_tags.pop();
        Ok(statement)
    }

    fn for_loop(&mut self) -> Parsed<Stmt> {
        let offset = self.advance()?.offset;
        let target = self.target(Some("in"), false)?;
        self.expect_keyword("in")?;
        let items = self.tuple(&TupleRules {
            without_conditional: true,
            end_keyword: Some("recursive"),
            ..TupleRules::default()
        })?;
        let test = if self.skip_keyword("if")? {
            Some(ForTest {
                target: target.clone(),
                condition: self.expression()?,
                entry: Vec::new(),
            })
        } else {
            None
        };
        let is_recursive = self.skip_keyword("recursive")?;
        let body = self.statements(&["endfor", "else"])?;
        let otherwise = if self.skip_keyword("else")? {
            Some(self.statements_until(&["endfor"])?)
        } else {
            {
                self.advance()?;
                None
            }
        };
        Ok(Stmt::For(Box::new(For {
            target,
            items,
            test,
            is_recursive,
            loop_slot: None,
            body,
            otherwise,
            offset,
        })))
    }

    fn condition(&mut self) -> Parsed<Stmt> {
        self.advance()?;
        let rules = TupleRules { without_conditional: true, ..TupleRules::default() };
        let mut branches = Vec::new();
        loop {
            let test = self.tuple(&rules)?;
            let body = self.statements(&["elif", "else", "endif"])?;
            branches.push((test, body.statements));
            if self.skip_keyword("elif")? {
                continue;
            }
            let otherwise = if self.skip_keyword("else")? {
                self.statements_until(&["endif"])?.statements
            } else {
                {
                    self.advance()?;
                    Vec::new()
                }
            };
            return Ok(Stmt::If(branches, otherwise));
        }
    }

    fn set(&mut self) -> Parsed<Stmt> {
        self.advance()?;
        let target = self.target(None, true)?;
        if self.skip_op("=")? {
            return Ok(Stmt::Set(target, self.tuple(&TupleRules::default())?));
        }
        let filter = if self.skip_op("|")? { Some(self.filters()?) } else { None };
        let body = self.statements_until(&["endset"])?;
        Ok(Stmt::SetBlock(Box::new(SetBlock { target, filter, body })))
    }

    /// Filters of a block, one after the other; the first `|` has been read.
    fn filters(&mut self) -> Parsed<Expr> {
        let mut filtered = self.filter(None)?;
        while self.skip_op("|")? {
            filtered = self.filter(Some(filtered))?;
        }
        Ok(filtered)
    }

    fn with(&mut self) -> Parsed<Stmt> {
        self.advance()?;
        let mut variables = Vec::new();
        while self.current.kind != Kind::BlockEnd {
            if !variables.is_empty() {
                self.expect_op(",")?;
            }
            let target = self.target(None, false)?;
            self.expect_op("=")?;
            variables.push((target, self.expression()?));
        }
        let body = self.statements_until(&["endwith"])?;
        Ok(Stmt::With(Box::new(With { variables, body })))
    }

    fn filter_block(&mut self) -> Parsed<Stmt> {
        self.advance()?;
        let filter = self.filters()?;
        let body = self.statements_until(&["endfilter"])?;
        Ok(Stmt::Filter(Box::new(FilterBlock { filter, body })))
    }

    fn macro_definition(&mut self) -> Parsed<Stmt> {
        let offset = self.advance()?.offset;
        let name = self.target_name()?;
        let (parameters, defaults) = self.signature()?;
        let body = self.statements_until(&["endmacro"])?;
        Ok(Stmt::Macro(Box::new(new_macro(name, parameters, defaults, body, offset))))
    }

    fn signature(&mut self) -> Parsed<(Vec<Name>, Vec<Expr>)> {
        let (mut parameters, mut defaults) = (Vec::new(), Vec::new());
        self.expect_op("(")?;
        while !self.is_op(")") {
            if !parameters.is_empty() {
                self.expect_op(",")?;
            }
            parameters.push(self.target_name()?);
            if self.skip_op("=")? {
                defaults.push(self.expression()?);
            } else if !defaults.is_empty() {
                return self.fail_here("non-default argument follows default argument");
            }
        }
        self.expect_op(")")?;
        Ok((parameters, defaults))
    }

    fn call_block(&mut self) -> Parsed<Stmt> {
        let offset = self.advance()?.offset;
        let (parameters, defaults) =
            if self.is_op("(") { self.signature()? } else { (Vec::new(), Vec::new()) };
        let Expr::Call(call) = self.expression()? else {
            return self.fail("expected call", offset);
        };
        let body = self.statements_until(&["endcall"])?;
        let caller = new_macro(Name::default(), parameters, defaults, body, offset);
        Ok(Stmt::CallBlock(Box::new(CallBlock { call: *call, caller })))
    }

    fn block(&mut self) -> Parsed<Stmt> {
        self.advance()?;
        let name = self.expect_name()?;
        self.skip_keyword("scoped")?;
        let is_required = self.skip_keyword("required")?;
        if self.is_op("-") {
            return self.fail_here(
                "Block names in Jinja have to be valid Python identifiers and may not contain \
                 hyphens, use an underscore instead.",
            );
        }
        let body = self.statements_until(&["endblock"])?;
        let is_blank =
            |statement: &Stmt| matches!(statement, Stmt::Text(text) if text.trim().is_empty());
        if is_required && !body.statements.iter().all(is_blank) {
            return self.fail_here("Required blocks can only contain comments or whitespace");
        }
        self.skip_keyword(&name)?;
        if self.blocks.iter().any(|block| block.name == name) {
            return self.fail_assertion(format!("block '{name}' defined twice"));
        }
        self.blocks.push(Block { name, is_required, self_slot: None, super_slot: None, body });
        Ok(Stmt::Block(self.blocks.len() - 1))
    }

    fn autoescape(&mut self) -> Parsed<Stmt> {
        self.advance()?;
        let flag = self.expression()?;
        let body = self.statements_until(&["endautoescape"])?;
        Ok(Stmt::Autoescape(Box::new(Autoescape { flag, body })))
    }

    fn print(&mut self) -> Parsed<Stmt> {
        self.advance()?;
        let mut printed = Vec::new();
        while self.current.kind != Kind::BlockEnd {
            if !printed.is_empty() {
                self.expect_op(",")?;
            }
            printed.push(self.expression()?);
        }
        // Side by side they print as one concatenation does.
        Ok(Stmt::Print(Expr::Concat(printed)))
    }

    fn load(&mut self, tag: &str) -> Parsed<Stmt> {
        let offset = self.advance()?.offset;
        let template = self.expression()?;
        let mut names = Vec::new();
        match tag {
            "include" if self.is_keyword("ignore") && self.next_is(&keyword("missing")) => {
                self.advance()?;
                self.advance()?;
            }
            "import" => {
                self.expect_keyword("as")?;
                names.push(self.target_name()?);
            }
            "from" => {
                self.expect_keyword("import")?;
                names = self.imported_names()?;
            }
            _ => {}
        }
        if tag != "extends" {
            self.skip_context()?;
        }
        Ok(Stmt::Load(Box::new(Load { template, names, is_extends: tag == "extends", offset })))
    }

    fn skip_context(&mut self) -> Parsed<bool> {
        let is_context = (self.is_keyword("with") || self.is_keyword("without"))
            && self.next_is(&keyword("context"));
        if is_context {
            self.advance()?;
            self.advance()?;
        }
        Ok(is_context)
    }

    fn imported_names(&mut self) -> Parsed<Vec<Name>> {
        let mut names = Vec::new();
        loop {
            if !names.is_empty() {
                self.expect_op(",")?;
            }
            if self.skip_context()? {
                break;
            }
            let name = self.target_name()?;
            if name.name.starts_with('_') {
                return self.fail_assertion("names starting with an underline can not be imported");
            }
            names.push(if self.skip_keyword("as")? { self.target_name()? } else { name });
            if self.skip_context()? || !self.is_op(",") {
                break;
            }
        }
        Ok(names)
    }

    fn target_name(&mut self) -> Parsed<Name> {
        let offset = self.current.offset;
        let name = self.expect_name()?;
        if ["true", "false", "none", "True", "False", "None"].contains(&name.as_str()) {
            self.fail("can't assign to 'name'", offset)
        } else {
            Ok(Name { name, slot: 0 })
        }
    }

    /// One or more names that are assigned to.
    fn target(
        &mut self,
        end_keyword: Option<&'static str>,
        with_namespace: bool,
    ) -> Parsed<Target> {
        let rules = TupleRules { end_keyword, ..TupleRules::default() };
        let mut targets = Vec::new();
        let mut is_tuple = false;
        loop {
            if !targets.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_tuple_end(&rules) {
                break;
            }
            targets.push(self.single_target(with_namespace)?);
            if !self.is_op(",") {
                break;
            }
            is_tuple = true;
        }
        match targets.pop() {
            Some(only) if !is_tuple => Ok(only),
            None => {
                let got = self.current.kind.describe();
                self.fail_here(format!("Expected an expression, got '{got}'"))
            }
            Some(last) => {
                targets.push(last);
                Ok(Target::Tuple(targets))
            }
        }
    }

    fn single_target(&mut self, with_namespace: bool) -> Parsed<Target> {
        let offset = self.current.offset;
        match self.nested(Self::primary)? {
            Expr::Name(name) if with_namespace && self.skip_op(".")? => {
                Ok(Target::Namespace(name, self.expect_name()?))
            }
            expr => match as_target(expr) {
                Ok(target) => Ok(target),
                Err(type_name) => self.fail(format!("can't assign to '{type_name}'"), offset),
            },
        }
    }
}

/// The expression as something that can be assigned to, or what it is instead.
fn as_target(expr: Expr) -> Result<Target, &'static str> {
    match expr {
        Expr::Name(name) => Ok(Target::Name(name)),
        Expr::Tuple(items) => {
            Ok(Target::Tuple(items.into_iter().map(as_target).collect::<Result<_, _>>()?))
        }
        Expr::List(_) => Err("list"),
        Expr::Dict(_) => Err("dict"),
        Expr::None | Expr::Bool(_) | Expr::Int(_) | Expr::BigInt(_) | Expr::Float(_) => {
            Err("const")
        }
        Expr::Str(_) => Err("const"),
        _ => Err("expression"),
    }
}

fn keyword(name: &str) -> Kind {
    Kind::Name(name.to_owned())
}

fn new_macro(
    name: Name,
    parameters: Vec<Name>,
    defaults: Vec<Expr>,
    body: Scoped,
    offset: usize,
) -> Macro {
    Macro {
        name,
        parameters,
        defaults,
        caller_slot: None,
        kwargs_slot: None,
        varargs_slot: None,
        body,
        offset,
    }
}
