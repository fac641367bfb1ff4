//! Reads expressions; `statements` reads what surrounds them.
//!
//! The grammar is Jinja's, from the loosest binding to the tightest:
//! conditional, `or`, `and`, `not`, comparisons, `+ -`, `~`, `* / // %`, `**`,
//! signs, subscripts and calls, filters and tests.

use num_traits::ToPrimitive;

use super::ast::{
    Arguments, BinaryOp, Block, Call, CompareOp, Conditional, Expr, FilterCall, Name, SliceBounds,
    TestCall,
};
use super::lexer::{self, Kind, Token};
use super::syntax::SyntaxError;

pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// Nesting beyond which Python's own recursion would end.
const MAX_NESTING: usize = 70;

/// Height of an expression's tree beyond which Python would not compile it.
const MAX_HEIGHT: usize = 200;

/// Makes one expression of two.
type Combine = fn(Expr, Expr) -> Expr;

/// The parser of one template.
pub(super) struct Parser<'s> {
    source: &'s str,
    tokens: std::vec::IntoIter<Token>,
    /// The token that is being looked at.
    pub(super) current: Token,
    lexer_error: Option<SyntaxError>,
    nesting: usize,
    /// The height of the expression that was read last.
    height: usize,
    /// The open tags, and the tags that would end them.
    pub(super) open_tags: Vec<String>,
    pub(super) end_tags: Vec<&'static [&'static str]>,
    /// The blocks that were read.
    pub(super) blocks: Vec<Block>,
}

impl<'s> Parser<'s> {
    pub(super) fn new(source: &'s str) -> Parsed<Self> {
        let (tokens, lexer_error) = lexer::tokenize(source);
        let mut parser = Self {
            source,
            tokens: tokens.into_iter(),
            current: Token { kind: Kind::Eof, offset: 0 },
            lexer_error,
            nesting: 0,
            height: 0,
            open_tags: Vec::new(),
            end_tags: Vec::new(),
            blocks: Vec::new(),
        };
        parser.advance()?;
        Ok(parser)
    }

    /// Takes the current token and looks at the next one.
    pub(super) fn advance(&mut self) -> Parsed<Token> {
        let next = match self.tokens.next() {
            Some(token) => token,
            None => match self.lexer_error.take() {
                Some(error) => return Err(error),
                None => Token { kind: Kind::Eof, offset: self.source.len() },
            },
        };
        Ok(std::mem::replace(&mut self.current, next))
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>, offset: usize) -> Parsed<T> {
        Err(SyntaxError::new(message, self.source, offset))
    }

    pub(super) fn fail_here<T>(&self, message: impl Into<String>) -> Parsed<T> {
        self.fail(message, self.current.offset)
    }

    pub(super) fn fail_assertion<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(SyntaxError::assertion(message, self.source, self.current.offset))
    }

    fn unexpected<T>(&self, expected: &str) -> Parsed<T> {
        match &self.current.kind {
            Kind::Eof => {
                self.fail_here(format!("unexpected end of template, expected '{expected}'."))
            }
            kind => {
                self.fail_here(format!("expected token '{expected}', got '{}'", kind.describe()))
            }
        }
    }

    pub(super) fn is_op(&self, op: &str) -> bool {
        matches!(self.current.kind, Kind::Op(current) if current == op)
    }

    pub(super) fn skip_op(&mut self, op: &str) -> Parsed<bool> {
        let is_there = self.is_op(op);
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }

    pub(super) fn expect_op(&mut self, op: &str) -> Parsed<()> {
        if self.skip_op(op)? { Ok(()) } else { self.unexpected(op) }
    }

    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(&self.current.kind, Kind::Name(name) if name == keyword)
    }

    pub(super) fn skip_keyword(&mut self, keyword: &str) -> Parsed<bool> {
        let is_there = self.is_keyword(keyword);
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }

    pub(super) fn expect_keyword(&mut self, keyword: &str) -> Parsed<()> {
        if self.skip_keyword(keyword)? { Ok(()) } else { self.unexpected(keyword) }
    }

    pub(super) fn expect_name(&mut self) -> Parsed<String> {
        match self.current.kind {
            Kind::Name(_) => match self.advance()?.kind {
                Kind::Name(name) => Ok(name),
                _ => self.unexpected("name"),
            },
            _ => self.unexpected("name"),
        }
    }

    pub(super) fn expect_kind(&mut self, kind: &Kind) -> Parsed<()> {
        if self.current.kind != *kind {
            return self.unexpected(kind.describe());
        }
        self.advance().map(drop)
    }

    /// The name or operator after the current token.
    pub(super) fn next_is(&self, kind: &Kind) -> bool {
        self.tokens.as_slice().first().is_some_and(|token| token.kind == *kind)
    }

    /// Reads something that may contain itself.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING {
            return Err(SyntaxError::nesting(self.source, self.current.offset));
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    /// Notes that the expression read last stands on parts of `height`.
    fn raise(&mut self, height: usize) -> Parsed<()> {
        if height >= MAX_HEIGHT {
            return Err(SyntaxError::nesting(self.source, self.current.offset));
        }
        self.height = height + 1;
        Ok(())
    }

    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(Self::conditional)
    }

    fn conditional(&mut self) -> Parsed<Expr> {
        let mut line = self.line();
        let mut then = self.or()?;
        while self.skip_keyword("if")? {
            let mut height = self.height;
            let test = self.or()?;
            height = height.max(self.height);
            let otherwise =
                if self.skip_keyword("else")? { Some(self.expression()?) } else { None };
            self.raise(height.max(self.height))?;
            then = Expr::Conditional(Box::new(Conditional { test, then, otherwise, line }));
            line = self.line();
        }
        Ok(then)
    }

    fn line(&self) -> usize {
        self.source[..self.current.offset].matches('\n').count() + 1
    }

    /// A chain of operators of one precedence, grouped from the left.
    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Parsed<Expr>,
        operator: fn(&Self) -> Option<Combine>,
    ) -> Parsed<Expr> {
        let mut left = operand(self)?;
        while let Some(combine) = operator(self) {
            let height = self.height;
            self.advance()?;
            let right = operand(self)?;
            self.raise(height.max(self.height))?;
            left = combine(left, right);
        }
        Ok(left)
    }

    pub(super) fn or(&mut self) -> Parsed<Expr> {
        self.chain(Self::and, |parser| {
            parser.is_keyword("or").then_some(|left, right| Expr::Or(Box::new((left, right))))
        })
    }

    fn and(&mut self) -> Parsed<Expr> {
        self.chain(Self::not, |parser| {
            parser.is_keyword("and").then_some(|left, right| Expr::And(Box::new((left, right))))
        })
    }

    fn not(&mut self) -> Parsed<Expr> {
        if !self.skip_keyword("not")? {
            return self.comparison();
        }
        let operand = self.nested(Self::not)?;
        self.raise(self.height)?;
        Ok(Expr::Not(Box::new(operand)))
    }

    fn comparison(&mut self) -> Parsed<Expr> {
        let first = self.sum()?;
        let mut height = self.height;
        let mut comparisons = Vec::new();
        while let Some(op) = self.compare_op()? {
            comparisons.push((op, self.sum()?));
            height = height.max(self.height);
        }
        if comparisons.is_empty() {
            return Ok(first);
        }
        self.raise(height)?;
        Ok(Expr::Compare(Box::new(first), comparisons))
    }

    fn compare_op(&mut self) -> Parsed<Option<CompareOp>> {
        let op = match &self.current.kind {
            Kind::Op("==") => CompareOp::Eq,
            Kind::Op("!=") => CompareOp::Ne,
            Kind::Op("<") => CompareOp::Lt,
            Kind::Op("<=") => CompareOp::Le,
            Kind::Op(">") => CompareOp::Gt,
            Kind::Op(">=") => CompareOp::Ge,
            Kind::Name(name) if name == "in" => CompareOp::In,
            Kind::Name(name) if name == "not" && self.next_is(&Kind::Name("in".to_owned())) => {
                self.advance()?;
                CompareOp::NotIn
            }
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(op))
    }

    fn sum(&mut self) -> Parsed<Expr> {
        self.chain(Self::concatenation, |parser| match parser.current.kind {
            Kind::Op("+") => Some(|left, right| binary(BinaryOp::Add, left, right)),
            Kind::Op("-") => Some(|left, right| binary(BinaryOp::Sub, left, right)),
            _ => None,
        })
    }

    fn concatenation(&mut self) -> Parsed<Expr> {
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut height = self.height;
        let mut parts = vec![first];
        while self.skip_op("~")? {
            parts.push(self.product()?);
            height = height.max(self.height);
        }
        self.raise(height)?;
        Ok(Expr::Concat(parts))
    }

    fn product(&mut self) -> Parsed<Expr> {
        self.chain(Self::power, |parser| match parser.current.kind {
            Kind::Op("*") => Some(|left, right| binary(BinaryOp::Mul, left, right)),
            Kind::Op("/") => Some(|left, right| binary(BinaryOp::Div, left, right)),
            Kind::Op("//") => Some(|left, right| binary(BinaryOp::FloorDiv, left, right)),
            Kind::Op("%") => Some(|left, right| binary(BinaryOp::Mod, left, right)),
            _ => None,
        })
    }

    fn power(&mut self) -> Parsed<Expr> {
        self.chain(Self::filtered, |parser| match parser.current.kind {
            Kind::Op("**") => Some(|left, right| binary(BinaryOp::Pow, left, right)),
            _ => None,
        })
    }

    fn filtered(&mut self) -> Parsed<Expr> {
        let mut expr = self.unary()?;
        loop {
            expr = match &self.current.kind {
                Kind::Op("|") => {
                    self.advance()?;
                    self.filter(Some(expr))?
                }
                Kind::Name(name) if name == "is" => self.test(expr)?,
                Kind::Op("(") => self.call(expr)?,
                _ => return Ok(expr),
            };
        }
    }

    /// Signs apply before filters: `-1 | abs` is `(-1) | abs`.
    fn unary(&mut self) -> Parsed<Expr> {
        let wrap: fn(Box<Expr>) -> Expr = match self.current.kind {
            Kind::Op("-") => Expr::Negative,
            Kind::Op("+") => Expr::Positive,
            _ => {
                let primary = self.primary()?;
                return self.postfix(primary);
            }
        };
        self.advance()?;
        let operand = self.nested(Self::unary)?;
        self.raise(self.height)?;
        self.postfix(wrap(Box::new(operand)))
    }

    pub(super) fn primary(&mut self) -> Parsed<Expr> {
        self.height = 1;
        match &self.current.kind {
            Kind::Name(_) => Ok(match self.expect_name()? {
                name if name == "true" || name == "True" => Expr::Bool(true),
                name if name == "false" || name == "False" => Expr::Bool(false),
                name if name == "none" || name == "None" => Expr::None,
                name => Expr::Name(Name { name, slot: 0 }),
            }),
            Kind::Str(_) => {
                let mut text = String::new();
                while let Kind::Str(_) = self.current.kind {
                    if let Kind::Str(part) = self.advance()?.kind {
                        text.push_str(&part);
                    }
                }
                Ok(Expr::Str(text))
            }
            Kind::Int(int) => {
                let int = match int.to_i64() {
                    Some(small) => Expr::Int(small),
                    None => Expr::BigInt(int.clone()),
                };
                self.advance()?;
                Ok(int)
            }
            Kind::Float(float) => {
                let float = Expr::Float(*float);
                self.advance()?;
                Ok(float)
            }
            Kind::Op("(") => {
                self.advance()?;
                let inner =
                    self.tuple(&TupleRules { is_parenthesised: true, ..Default::default() })?;
                self.expect_op(")")?;
                Ok(inner)
            }
            Kind::Op("[") => {
                self.advance()?;
                Ok(Expr::List(self.items("]", Self::expression)?))
            }
            Kind::Op("{") => {
                self.advance()?;
                let items = self.items("}", |parser| {
                    let key = parser.expression()?;
                    let height = parser.height;
                    parser.expect_op(":")?;
                    let value = parser.expression()?;
                    parser.height = parser.height.max(height);
                    Ok((key, value))
                })?;
                Ok(Expr::Dict(items))
            }
            kind => self.fail_here(format!("unexpected '{}'", kind.describe())),
        }
    }

    /// What is between brackets, with commas between the items.
    fn items<T>(&mut self, close: &str, read: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        let mut height = 0;
        while !self.is_op(close) {
            if !items.is_empty() {
                self.expect_op(",")?;
                if self.is_op(close) {
                    break;
                }
            }
            items.push(read(self)?);
            height = height.max(self.height);
        }
        self.expect_op(close)?;
        self.raise(height)?;
        Ok(items)
    }

    /// One expression, or several with commas between them.
    pub(super) fn tuple(&mut self, rules: &TupleRules) -> Parsed<Expr> {
        let mut items = Vec::new();
        let mut height = 0;
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_tuple_end(rules) {
                break;
            }
            items.push(if rules.without_conditional {
                self.nested(Self::or)?
            } else {
                self.expression()?
            });
            height = height.max(self.height);
            if !self.is_op(",") {
                break;
            }
            is_tuple = true;
        }
        if !is_tuple {
            if let Some(only) = items.pop() {
                return Ok(only);
            }
            if !rules.is_parenthesised {
                let got = self.current.kind.describe();
                return self.fail_here(format!("Expected an expression, got '{got}'"));
            }
        }
        self.raise(height)?;
        Ok(Expr::Tuple(items))
    }

    pub(super) fn is_tuple_end(&self, rules: &TupleRules) -> bool {
        matches!(self.current.kind, Kind::VariableEnd | Kind::BlockEnd | Kind::Op(")"))
            || rules.end_keyword.is_some_and(|keyword| self.is_keyword(keyword))
    }

    pub(super) fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            expr = match self.current.kind {
                Kind::Op(".") => self.attribute(expr)?,
                Kind::Op("[") => self.subscript(expr)?,
                Kind::Op("(") => self.call(expr)?,
                _ => return Ok(expr),
            };
        }
    }

    fn attribute(&mut self, value: Expr) -> Parsed<Expr> {
        self.advance()?;
        self.raise(self.height)?;
        let token = self.advance()?;
        match token.kind {
            Kind::Name(name) => Ok(Expr::Attribute(Box::new(value), name)),
            Kind::Int(int) => {
                let position = int.to_i64().map_or(Expr::BigInt(int), Expr::Int);
                Ok(Expr::Item(Box::new((value, position))))
            }
            _ => self.fail("expected name or number", token.offset),
        }
    }

    fn subscript(&mut self, value: Expr) -> Parsed<Expr> {
        let height = self.height;
        self.advance()?;
        let mut subscripts = self.items("]", Self::subscribed)?;
        self.raise(height.max(self.height))?;
        Ok(match (subscripts.pop(), subscripts.is_empty()) {
            (Some(Expr::SliceObject(bounds)), true) => Expr::Slice(Box::new((value, *bounds))),
            (Some(position), true) => Expr::Item(Box::new((value, position))),
            (last, _) => {
                subscripts.extend(last);
                Expr::Item(Box::new((value, Expr::Tuple(subscripts))))
            }
        })
    }

    fn subscribed(&mut self) -> Parsed<Expr> {
        let mut height = 0;
        let mut bounds = SliceBounds::default();
        if !self.is_op(":") {
            let start = self.expression()?;
            if !self.is_op(":") {
                return Ok(start);
            }
            height = self.height;
            bounds.start = Some(start);
        }
        self.advance()?;
        let is_end = |parser: &Self| parser.is_op("]") || parser.is_op(",");
        if !self.is_op(":") && !is_end(self) {
            bounds.stop = Some(self.expression()?);
            height = height.max(self.height);
        }
        if self.skip_op(":")? && !is_end(self) {
            bounds.step = Some(self.expression()?);
            height = height.max(self.height);
        }
        self.height = height;
        Ok(Expr::SliceObject(Box::new(bounds)))
    }

    fn call(&mut self, callee: Expr) -> Parsed<Expr> {
        let height = self.height;
        let arguments = self.arguments()?;
        self.raise(height.max(self.height))?;
        Ok(Expr::Call(Box::new(Call { callee, arguments })))
    }

    fn arguments(&mut self) -> Parsed<Arguments> {
        let opened = self.current.offset;
        self.expect_op("(")?;
        let mut arguments = Arguments::default();
        let mut height = 0;
        let mut is_first = true;
        while !self.is_op(")") {
            if !is_first {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            is_first = false;
            let has_splat = arguments.splat.is_some();
            let has_named_splat = arguments.named_splat.is_some();
            let is_named =
                matches!(self.current.kind, Kind::Name(_)) && self.next_is(&Kind::Op("="));
            let is_misplaced = match self.current.kind {
                Kind::Op("*") => has_splat || has_named_splat,
                Kind::Op("**") => has_named_splat,
                _ if is_named => has_named_splat,
                _ => has_splat || has_named_splat || !arguments.named.is_empty(),
            };
            if is_misplaced {
                return self.fail("invalid syntax for function call expression", opened);
            }
            if self.skip_op("*")? {
                arguments.splat = Some(self.expression()?);
            } else if self.skip_op("**")? {
                arguments.named_splat = Some(self.expression()?);
            } else if is_named {
                let name = self.expect_name()?;
                self.advance()?;
                arguments.named.push((name, self.expression()?));
            } else {
                arguments.positional.push(self.expression()?);
            }
            height = height.max(self.height);
        }
        self.expect_op(")")?;
        self.height = height;
        Ok(arguments)
    }

    fn dotted_name(&mut self) -> Parsed<String> {
        let mut name = self.expect_name()?;
        while self.skip_op(".")? {
            name.push('.');
            name.push_str(&self.expect_name()?);
        }
        Ok(name)
    }

    /// A filter's name and arguments; the `|` has been read.
    pub(super) fn filter(&mut self, input: Option<Expr>) -> Parsed<Expr> {
        let height = self.height;
        let offset = self.current.offset;
        let name = self.dotted_name()?;
        self.height = 0;
        let arguments = if self.is_op("(") { self.arguments()? } else { Arguments::default() };
        self.raise(height.max(self.height))?;
        let filter = super::filters::find(&name);
        Ok(Expr::Filter(Box::new(FilterCall { input, name, filter, arguments, offset })))
    }

    fn test(&mut self, input: Expr) -> Parsed<Expr> {
        let mut height = self.height;
        self.advance()?;
        let is_negated = self.skip_keyword("not")?;
        let offset = self.current.offset;
        let name = self.dotted_name()?;
        let mut arguments = Arguments::default();
        match &self.current.kind {
            Kind::Op("(") => {
                arguments = self.arguments()?;
                height = height.max(self.height);
            }
            Kind::Name(name) if ["else", "or", "and"].contains(&name.as_str()) => {}
            Kind::Name(name) if name == "is" => {
                return self.fail_here("You cannot chain multiple tests with is");
            }
            Kind::Name(_) | Kind::Str(_) | Kind::Int(_) | Kind::Float(_) | Kind::Op("[" | "{") => {
                let primary = self.nested(Self::primary)?;
                arguments.positional.push(self.postfix(primary)?);
                height = height.max(self.height);
            }
            _ => {}
        }
        self.raise(height)?;
        let test = super::tests::find(&name);
        let call = Expr::Test(Box::new(TestCall { input, name, test, arguments, offset }));
        if is_negated {
            self.raise(self.height)?;
            return Ok(Expr::Not(Box::new(call)));
        }
        Ok(call)
    }
}

/// What ends a tuple, and what may stand in it.
#[derive(Debug, Default)]
pub(super) struct TupleRules {
    /// Between parentheses, where nothing at all is the empty tuple.
    pub(super) is_parenthesised: bool,
    /// `a if b` does not belong to the tuple.
    pub(super) without_conditional: bool,
    /// A keyword that follows the tuple.
    pub(super) end_keyword: Option<&'static str>,
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary(op, Box::new((left, right)))
}
