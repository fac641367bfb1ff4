//! Finds out which name means which variable.
//!
//! Jinja decides this before a template runs: each scope knows which names it
//! sets, which it takes from outside, and which it copies from the scope around
//! it. Names that nothing sets come from the context; those are the template's
//! undeclared variables, also when they stand in a branch that never runs.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use indexmap::{IndexMap, IndexSet};

use super::ast::{Block, Entry, Expr, For, LoadFrom, Macro, Name, Scoped, Slot, Stmt, Target};
use super::reads::Reads;
use super::syntax::SyntaxError;
use super::traits::Traits;
use super::walk::{self, Access};

/// A template whose names have slots.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(super) body: Scoped,
    pub(super) blocks: Vec<Block>,
    /// Where `self` lies, when the template looks at it.
    pub(super) self_slot: Option<Slot>,
    /// The names that come from outside of the template.
    pub(super) imports: IndexSet<String>,
    pub(super) n_slots: usize,
    pub(super) traits: Traits,
    pub(super) reads: Reads,
}

/// Gives every name of the parsed template its slot.
pub(super) fn resolve(
    statements: Vec<Stmt>,
    mut blocks: Vec<Block>,
    source: &str,
) -> Result<Tree, SyntaxError> {
    let mut scoper = Scoper { source, frames: Vec::new(), imports: IndexSet::new(), n_slots: 0 };
    let mut body = Scoped { statements, ..Scoped::default() };
    let mut self_slot = None;
    scoper.scoped(&mut body, |scoper, body| {
        self_slot = scoper.declare_special("self", &mut body.statements);
        scoper.analyze(&mut body.statements);
        Ok(())
    })?;
    blocks.iter_mut().try_for_each(|block| scoper.resolve_block(block))?;
    let Scoper { imports, n_slots, .. } = scoper;
    let (mut traits, mut reads) = (Traits::default(), Reads::default());
    let block_bodies = blocks.iter_mut().map(|block| &mut block.body.statements);
    for statements in std::iter::once(&mut body.statements).chain(block_bodies) {
        traits.note(statements);
        reads.note(statements);
    }
    Ok(Tree { body, blocks, self_slot, imports, n_slots, traits, reads })
}

struct Scoper<'s> {
    source: &'s str,
    /// The scopes around the present place, the outermost first.
    frames: Vec<Frame>,
    imports: IndexSet<String>,
    n_slots: usize,
}

#[derive(Default)]
struct Frame {
    /// One slot for each name, also when several branches define it.
    slots: HashMap<String, Slot>,
    symbols: Symbols,
}

#[derive(Clone, Default)]
struct Symbols {
    refs: HashMap<String, Slot>,
    loads: IndexMap<Slot, Load>,
    stores: BTreeSet<String>,
}

#[derive(Clone)]
enum Load {
    Parameter,
    Import(String),
    Outer(Slot),
    Nothing,
}

impl Scoper<'_> {
    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn symbols(&mut self) -> &mut Symbols {
        &mut self.frame().symbols
    }

    fn find_outer(&self, name: &str) -> Option<Slot> {
        let (_, outer) = self.frames.split_last()?;
        outer.iter().rev().find_map(|frame| frame.symbols.refs.get(name).copied())
    }

    fn find(&self, name: &str) -> Option<Slot> {
        self.frames.iter().rev().find_map(|frame| frame.symbols.refs.get(name).copied())
    }

    fn define(&mut self, name: &str, load: Load) -> Slot {
        let next = self.n_slots;
        let frame = self.frame();
        let slot = *frame.slots.entry(name.to_owned()).or_insert(next);
        frame.symbols.refs.insert(name.to_owned(), slot);
        frame.symbols.loads.insert(slot, load);
        self.n_slots = next.max(slot + 1);
        slot
    }

    fn declare_parameter(&mut self, name: &str) -> Slot {
        self.symbols().stores.insert(name.to_owned());
        self.define(name, Load::Parameter)
    }

    /// A name that Jinja itself sets, if the statements look at it.
    fn declare_special(&mut self, name: &str, statements: &mut [Stmt]) -> Option<Slot> {
        walk::looks_at(statements, name).then(|| self.declare_parameter(name))
    }

    fn store(&mut self, name: &str) {
        self.symbols().stores.insert(name.to_owned());
        if self.symbols().refs.contains_key(name) {
            return;
        }
        let load = self.find_outer(name).map_or(Load::Nothing, Load::Outer);
        self.define(name, load);
    }

    fn load(&mut self, name: &str) {
        if self.find(name).is_none() {
            self.define(name, Load::Import(name.to_owned()));
        }
    }

    // What a scope does with names.

    fn analyze(&mut self, statements: &mut [Stmt]) {
        for statement in statements {
            self.analyze_statement(statement);
        }
    }

    fn analyze_expr(&mut self, expr: &mut Expr) {
        if let Expr::Name(name) = expr {
            self.load(&name.name);
        }
        for child in expr.children() {
            self.analyze_expr(child);
        }
    }

    fn analyze_target(&mut self, target: &mut Target, is_parameter: bool) {
        let mut names = Vec::new();
        let _ = target.names(&mut |name, access| {
            names.push((name.to_owned(), access));
            ControlFlow::Continue(())
        });
        for (name, access) in names {
            match access {
                Access::Load => self.load(&name),
                Access::Store if is_parameter => drop(self.declare_parameter(&name)),
                Access::Store => self.store(&name),
            }
        }
    }

    fn analyze_statement(&mut self, statement: &mut Stmt) {
        match statement {
            Stmt::Text(_) | Stmt::Autoescape(_) | Stmt::Block(_) => {}
            Stmt::Print(expr) => self.analyze_expr(expr),
            Stmt::If(branches, otherwise) => self.analyze_if(branches, Some(otherwise)),
            // The rest of a loop belongs to its own scopes.
            Stmt::For(node) => self.analyze_expr(&mut node.items),
            Stmt::Set(target, value) => {
                self.analyze_expr(value);
                self.analyze_target(target, false);
            }
            Stmt::SetBlock(node) => self.analyze_target(&mut node.target, false),
            Stmt::With(node) => {
                node.variables.iter_mut().for_each(|(_, value)| self.analyze_expr(value));
            }
            Stmt::Filter(node) => self.analyze_expr(&mut node.filter),
            Stmt::Macro(node) => self.store(&node.name.name),
            Stmt::CallBlock(node) => {
                self.analyze_expr(&mut node.call.callee);
                for argument in node.call.arguments.children() {
                    self.analyze_expr(argument);
                }
            }
            Stmt::Load(node) => {
                self.analyze_expr(&mut node.template);
                node.names.iter().for_each(|name| self.store(&name.name));
            }
        }
    }

    /// A name that only some branches set may come from outside in the others.
    fn analyze_if(
        &mut self,
        branches: &mut [(Expr, Vec<Stmt>)],
        otherwise: Option<&mut Vec<Stmt>>,
    ) {
        let Some(((test, body), elifs)) = branches.split_first_mut() else { return };
        self.analyze_expr(test);
        let original = self.symbols().clone();
        self.analyze(body);
        let body_symbols = std::mem::replace(self.symbols(), original.clone());
        for elif in elifs.chunks_mut(1) {
            self.analyze_if(elif, None);
        }
        let elif_symbols = std::mem::replace(self.symbols(), original.clone());
        if let Some(otherwise) = otherwise {
            self.analyze(otherwise);
        }
        let else_symbols = std::mem::replace(self.symbols(), original);
        self.merge([body_symbols, elif_symbols, else_symbols]);
    }

    fn merge(&mut self, branches: [Symbols; 3]) {
        let mut stores: BTreeSet<String> =
            branches.iter().flat_map(|branch| branch.stores.iter().cloned()).collect();
        stores.retain(|name| !self.symbols().stores.contains(name));
        for branch in branches {
            let symbols = self.symbols();
            symbols.refs.extend(branch.refs);
            symbols.loads.extend(branch.loads);
            symbols.stores.extend(branch.stores);
        }
        for name in stores {
            let Some(slot) = self.find(&name) else { continue };
            let load = self.find_outer(&name).map_or(Load::Import(name), Load::Outer);
            self.symbols().loads.insert(slot, load);
        }
    }

    // Which slots the names get.

    /// Resolves a scope of its own; `declare` tells what it does with names.
    fn scoped(
        &mut self,
        scoped: &mut Scoped,
        declare: impl FnOnce(&mut Self, &mut Scoped) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        let first = self.n_slots;
        self.frames.push(Frame::default());
        declare(self, scoped)?;
        scoped.entry = self.entry();
        self.resolve(&mut scoped.statements, false)?;
        self.frames.pop();
        scoped.slots = first..self.n_slots;
        Ok(())
    }

    /// What entering the innermost scope does.
    fn entry(&mut self) -> Vec<Entry> {
        let loads = std::mem::take(&mut self.symbols().loads);
        let mut entry = Vec::new();
        for (slot, load) in loads {
            let load = match load {
                Load::Parameter => continue,
                Load::Import(name) => LoadFrom::Import(self.imports.insert_full(name).0),
                Load::Outer(outer) => LoadFrom::Outer(outer),
                Load::Nothing => LoadFrom::Nothing,
            };
            entry.push(Entry { slot, load });
        }
        entry
    }

    fn resolve(&mut self, statements: &mut [Stmt], is_soft: bool) -> Result<(), SyntaxError> {
        statements.iter_mut().try_for_each(|statement| self.resolve_statement(statement, is_soft))
    }

    fn resolve_name(&self, name: &mut Name) {
        // Every name has been seen by the analysis of its scope.
        name.slot = self.find(&name.name).unwrap_or_default();
    }

    fn resolve_target(&self, target: &mut Target) {
        match target {
            Target::Name(name) | Target::Namespace(name, _) => self.resolve_name(name),
            Target::Tuple(targets) => {
                for target in targets {
                    self.resolve_target(target);
                }
            }
        }
    }

    /// Below an `if` (`is_soft`), unknown filters are an error only when they run.
    fn resolve_expr(&self, expr: &mut Expr, is_soft: bool) -> Result<(), SyntaxError> {
        let mut is_soft = is_soft;
        match expr {
            Expr::Name(name) => self.resolve_name(name),
            Expr::Conditional(_) => is_soft = true,
            Expr::Filter(call) if call.filter.is_none() && !is_soft => {
                let message = format!("No filter named '{}'.", call.name);
                return Err(SyntaxError::assertion(message, self.source, call.offset));
            }
            Expr::Test(call) if call.test.is_none() && !is_soft => {
                let message = format!("No test named '{}'.", call.name);
                return Err(SyntaxError::assertion(message, self.source, call.offset));
            }
            _ => {}
        }
        expr.children().into_iter().try_for_each(|child| self.resolve_expr(child, is_soft))
    }

    fn resolve_statement(
        &mut self,
        statement: &mut Stmt,
        is_soft: bool,
    ) -> Result<(), SyntaxError> {
        match statement {
            Stmt::Text(_) | Stmt::Block(_) => {}
            Stmt::Print(expr) => self.resolve_expr(expr, is_soft)?,
            Stmt::If(branches, otherwise) => {
                for (test, body) in branches {
                    self.resolve_expr(test, true)?;
                    self.resolve(body, true)?;
                }
                self.resolve(otherwise, true)?;
            }
            Stmt::For(node) => {
                self.resolve_expr(&mut node.items, is_soft)?;
                self.resolve_for(node)?;
            }
            Stmt::Set(target, value) => {
                self.resolve_expr(value, is_soft)?;
                self.resolve_target(target);
            }
            Stmt::SetBlock(node) => {
                self.resolve_target(&mut node.target);
                let filter = &mut node.filter;
                self.scoped(&mut node.body, |scoper, body| {
                    scoper.analyze(&mut body.statements);
                    filter.iter_mut().try_for_each(|filter| {
                        scoper.analyze_expr(filter);
                        scoper.resolve_expr(filter, false)
                    })
                })?;
            }
            Stmt::With(node) => {
                for (_, value) in &mut node.variables {
                    self.resolve_expr(value, is_soft)?;
                }
                let variables = &mut node.variables;
                self.scoped(&mut node.body, |scoper, body| {
                    for (target, _) in variables {
                        scoper.analyze_target(target, true);
                        scoper.resolve_target(target);
                    }
                    scoper.analyze(&mut body.statements);
                    Ok(())
                })?;
            }
            Stmt::Filter(node) => {
                self.resolve_expr(&mut node.filter, is_soft)?;
                self.simple_scope(&mut node.body)?;
            }
            Stmt::Macro(node) => {
                self.resolve_name(&mut node.name);
                self.resolve_macro(node)?;
            }
            Stmt::CallBlock(node) => {
                self.resolve_expr(&mut node.call.callee, is_soft)?;
                for argument in node.call.arguments.children() {
                    self.resolve_expr(argument, is_soft)?;
                }
                self.resolve_macro(&mut node.caller)?;
            }
            Stmt::Autoescape(node) => {
                let flag = &mut node.flag;
                self.scoped(&mut node.body, |scoper, body| {
                    scoper.analyze_expr(flag);
                    scoper.analyze(&mut body.statements);
                    scoper.resolve_expr(flag, false)
                })?;
            }
            Stmt::Load(node) => {
                if node.is_extends && self.frames.len() > 1 {
                    let message = "cannot use extend from a non top-level scope";
                    return Err(SyntaxError::assertion(message, self.source, node.offset));
                }
                self.resolve_expr(&mut node.template, is_soft)?;
                node.names.iter_mut().for_each(|name| self.resolve_name(name));
            }
        }
        Ok(())
    }

    fn resolve_for(&mut self, node: &mut For) -> Result<(), SyntaxError> {
        let mut assigns_loop = walk::sets(&mut node.body.statements, "loop");
        let _ = node.target.names(&mut |name, _| {
            assigns_loop |= name == "loop";
            ControlFlow::Continue(())
        });
        if assigns_loop {
            let message = "Can't assign to special loop variable in for-loop target";
            return Err(SyntaxError::assertion(message, self.source, node.offset));
        }
        if let Some(otherwise) = &mut node.otherwise {
            self.simple_scope(otherwise)?;
        }
        let For { target, loop_slot, is_recursive, .. } = node;
        self.scoped(&mut node.body, |scoper, body| {
            *loop_slot = if *is_recursive {
                Some(scoper.declare_parameter("loop"))
            } else {
                scoper.declare_special("loop", &mut body.statements)
            };
            scoper.analyze_target(target, true);
            scoper.analyze(&mut body.statements);
            scoper.resolve_target(target);
            Ok(())
        })?;
        if let Some(test) = &mut node.test {
            self.frames.push(Frame::default());
            self.analyze_target(&mut test.target, true);
            self.analyze_expr(&mut test.condition);
            test.entry = self.entry();
            self.resolve_target(&mut test.target);
            self.resolve_expr(&mut test.condition, false)?;
            self.frames.pop();
        }
        Ok(())
    }

    fn resolve_macro(&mut self, node: &mut Macro) -> Result<(), SyntaxError> {
        let Macro { parameters, defaults, caller_slot, kwargs_slot, varargs_slot, body, .. } = node;
        let position = |name| parameters.iter().position(|parameter| parameter.name == name);
        let (caller, kwargs, varargs) =
            (position("caller"), position("kwargs"), position("varargs"));
        let n_required = parameters.len() - defaults.len();
        if caller.is_some_and(|position| position < n_required)
            && walk::looks_at(&mut body.statements, "caller")
        {
            let message = "When defining macros or call blocks the special \"caller\" argument \
                           must be omitted or be given a default.";
            return Err(SyntaxError::assertion(message, self.source, node.offset));
        }
        self.scoped(body, |scoper, body| {
            for parameter in parameters.iter_mut() {
                parameter.slot = scoper.declare_parameter(&parameter.name);
            }
            let mut special = |name, position: Option<usize>| match position {
                Some(_) => None,
                None => scoper.declare_special(name, &mut body.statements),
            };
            *caller_slot = special("caller", caller);
            *kwargs_slot = special("kwargs", kwargs);
            *varargs_slot = special("varargs", varargs);
            for default in &mut *defaults {
                scoper.analyze_expr(default);
            }
            scoper.analyze(&mut body.statements);
            defaults.iter_mut().try_for_each(|default| scoper.resolve_expr(default, false))
        })
    }

    /// A block does not see the scopes around it.
    fn resolve_block(&mut self, node: &mut Block) -> Result<(), SyntaxError> {
        let (self_slot, super_slot) = (&mut node.self_slot, &mut node.super_slot);
        self.scoped(&mut node.body, |scoper, body| {
            *self_slot = scoper.declare_special("self", &mut body.statements);
            *super_slot = scoper.declare_special("super", &mut body.statements);
            scoper.analyze(&mut body.statements);
            Ok(())
        })
    }

    fn simple_scope(&mut self, scoped: &mut Scoped) -> Result<(), SyntaxError> {
        self.scoped(scoped, |scoper, body| {
            scoper.analyze(&mut body.statements);
            Ok(())
        })
    }
}
