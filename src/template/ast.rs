//! The syntax tree of a template.
//!
//! The parser writes names; `scoping` then gives each name the slot in which
//! its value lies during an evaluation.

use num_bigint::BigInt;

use super::filters::Filter;
use super::tests::Test;

/// The place of a variable in the memory of an evaluation.
pub(crate) type Slot = usize;

/// A name and, once scopes are known, its slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    pub(crate) name: String,
    pub(crate) slot: Slot,
}

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    None,
    Bool(bool),
    Int(i64),
    BigInt(BigInt),
    Float(f64),
    Str(String),
    Name(Name),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Binary(BinaryOp, Box<(Expr, Expr)>),
    And(Box<(Expr, Expr)>),
    Or(Box<(Expr, Expr)>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    Concat(Vec<Expr>),
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
    Conditional(Box<Conditional>),
    Attribute(Box<Expr>, String),
    Item(Box<(Expr, Expr)>),
    Slice(Box<(Expr, SliceBounds)>),
    /// A slice among several subscripts, which no value of templates understands.
    SliceObject(Box<SliceBounds>),
    Call(Box<Call>),
    Filter(Box<FilterCall>),
    Test(Box<TestCall>),
}

/// `start:stop:step`.
#[derive(Clone, Debug, Default)]
pub(crate) struct SliceBounds {
    pub(crate) start: Option<Expr>,
    pub(crate) stop: Option<Expr>,
    pub(crate) step: Option<Expr>,
}

/// `then if test else otherwise`.
#[derive(Clone, Debug)]
pub(crate) struct Conditional {
    pub(crate) test: Expr,
    pub(crate) then: Expr,
    pub(crate) otherwise: Option<Expr>,
    pub(crate) line: usize,
}

/// `callee(arguments)`.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) callee: Expr,
    pub(crate) arguments: Arguments,
}

/// `input | name(arguments)`.
#[derive(Clone, Debug)]
pub(crate) struct FilterCall {
    /// Nothing stands for the text of the surrounding block.
    pub(crate) input: Option<Expr>,
    pub(crate) name: String,
    /// Unknown filters are an error only where they are executed, below an `if`.
    pub(crate) filter: Option<Filter>,
    pub(crate) arguments: Arguments,
    pub(crate) offset: usize,
}

/// `input is name(arguments)`.
#[derive(Clone, Debug)]
pub(crate) struct TestCall {
    pub(crate) input: Expr,
    pub(crate) name: String,
    /// As in [`FilterCall::filter`].
    pub(crate) test: Option<Test>,
    pub(crate) arguments: Arguments,
    pub(crate) offset: usize,
}

/// The arguments of a call as they are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Expr>,
    pub(crate) named: Vec<(String, Expr)>,
    /// `*splat`.
    pub(crate) splat: Option<Expr>,
    /// `**named_splat`.
    pub(crate) named_splat: Option<Expr>,
}

impl Arguments {
    /// Whether there are neither names nor splats.
    pub(crate) fn is_only_positional(&self) -> bool {
        self.named.is_empty() && self.splat.is_none() && self.named_splat.is_none()
    }
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

/// What is assigned to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Name(Name),
    /// `namespace.attribute`.
    Namespace(Name, String),
    Tuple(Vec<Target>),
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    Text(String),
    Print(Expr),
    If(Vec<(Expr, Vec<Stmt>)>, Vec<Stmt>),
    For(Box<For>),
    Set(Target, Expr),
    SetBlock(Box<SetBlock>),
    With(Box<With>),
    Filter(Box<FilterBlock>),
    Macro(Box<Macro>),
    CallBlock(Box<CallBlock>),
    /// A block, by its number among the template's blocks.
    Block(usize),
    Autoescape(Box<Autoescape>),
    /// `include`, `import`, `from`, and `extends`: there is nothing to load from.
    Load(Box<Load>),
}

/// `{% for target in items if test recursive %}`.
#[derive(Clone, Debug)]
pub(crate) struct For {
    pub(crate) target: Target,
    pub(crate) items: Expr,
    pub(crate) test: Option<ForTest>,
    pub(crate) is_recursive: bool,
    /// Where `loop` lies, when the body looks at it.
    pub(crate) loop_slot: Option<Slot>,
    pub(crate) body: Scoped,
    pub(crate) otherwise: Option<Scoped>,
    pub(crate) offset: usize,
}

/// The condition of a loop, with its own copy of the target.
#[derive(Clone, Debug)]
pub(crate) struct ForTest {
    pub(crate) target: Target,
    pub(crate) condition: Expr,
    pub(crate) entry: Vec<Entry>,
}

/// Statements with a scope of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scoped {
    pub(crate) statements: Vec<Stmt>,
    /// What happens to the scope's variables when it is entered.
    pub(crate) entry: Vec<Entry>,
    /// The slots of this scope and of those inside of it.
    pub(crate) slots: std::ops::Range<Slot>,
}

/// How a variable begins when its scope is entered.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) slot: Slot,
    pub(crate) load: LoadFrom,
}

/// Where a variable's first value comes from.
#[derive(Clone, Debug)]
pub(crate) enum LoadFrom {
    /// From outside of the template, by its number among the imported names.
    Import(usize),
    /// From the variable of the same name in an outer scope.
    Outer(Slot),
    /// Nothing yet.
    Nothing,
}

/// `{% set target | filters %}…{% endset %}`.
#[derive(Clone, Debug)]
pub(crate) struct SetBlock {
    pub(crate) target: Target,
    pub(crate) filter: Option<Expr>,
    pub(crate) body: Scoped,
}

/// `{% with a = 1, b = 2 %}`.
#[derive(Clone, Debug)]
pub(crate) struct With {
    pub(crate) variables: Vec<(Target, Expr)>,
    pub(crate) body: Scoped,
}

/// `{% filter filters %}…{% endfilter %}`.
#[derive(Clone, Debug)]
pub(crate) struct FilterBlock {
    pub(crate) filter: Expr,
    pub(crate) body: Scoped,
}

/// `{% macro name(parameters) %}`.
#[derive(Clone, Debug)]
pub(crate) struct Macro {
    /// Where the macro itself is kept; the caller of a call block has no name.
    pub(crate) name: Name,
    pub(crate) parameters: Vec<Name>,
    /// The defaults of the last parameters.
    pub(crate) defaults: Vec<Expr>,
    /// The slots of the special variables that the body looks at.
    pub(crate) caller_slot: Option<Slot>,
    pub(crate) kwargs_slot: Option<Slot>,
    pub(crate) varargs_slot: Option<Slot>,
    pub(crate) body: Scoped,
    pub(crate) offset: usize,
}

/// `{% call(parameters) callee(arguments) %}`.
#[derive(Clone, Debug)]
pub(crate) struct CallBlock {
    pub(crate) call: Call,
    pub(crate) caller: Macro,
}

/// `{% block name %}`.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) is_required: bool,
    pub(crate) self_slot: Option<Slot>,
    pub(crate) super_slot: Option<Slot>,
    pub(crate) body: Scoped,
}

/// `{% autoescape flag %}`.
#[derive(Clone, Debug)]
pub(crate) struct Autoescape {
    pub(crate) flag: Expr,
    pub(crate) body: Scoped,
}

/// A statement that loads another template, which never succeeds.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) template: Expr,
    /// The names that it would set.
    pub(crate) names: Vec<Name>,
    pub(crate) is_extends: bool,
    pub(crate) offset: usize,
}
