//! Walks over the syntax tree.

use std::ops::ControlFlow;

use super::ast::{Arguments, Expr, Macro, Name, Scoped, SliceBounds, Stmt, Target};

/// What a template does with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Load,
    Store,
}

/// Is told every name; `Break` ends the walk.
pub(super) type OnName<'f> = &'f mut dyn FnMut(&str, Access) -> ControlFlow<()>;

impl Expr {
    /// The expressions directly inside of this one.
    pub(super) fn children(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::None
            | Self::Bool(_)
            | Self::Int(_)
            | Self::BigInt(_)
            | Self::Float(_)
            | Self::Str(_)
            | Self::Name(_) => Vec::new(),
            Self::Tuple(items) | Self::List(items) | Self::Concat(items) => {
                items.iter_mut().collect()
            }
            Self::Dict(items) => items.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
            Self::Binary(_, operands) | Self::And(operands) | Self::Or(operands) => {
                vec![&mut operands.0, &mut operands.1]
            }
            Self::Not(operand) | Self::Negative(operand) | Self::Positive(operand) => vec![operand],
            Self::Compare(first, others) => std::iter::once(&mut **first)
                .chain(others.iter_mut().map(|(_, expr)| expr))
                .collect(),
            Self::Conditional(parts) => {
                let mut children = vec![&mut parts.test, &mut parts.then];
                children.extend(&mut parts.otherwise);
                children
            }
            Self::Attribute(value, _) => vec![value],
            Self::Item(parts) => vec![&mut parts.0, &mut parts.1],
            Self::Slice(parts) => {
                let mut children = vec![&mut parts.0];
                children.extend(parts.1.children());
                children
            }
            Self::SliceObject(bounds) => bounds.children(),
            Self::Call(call) => {
                let mut children = vec![&mut call.callee];
                children.extend(call.arguments.children());
                children
            }
            Self::Filter(call) => {
                let mut children: Vec<_> = call.input.iter_mut().collect();
                children.extend(call.arguments.children());
                children
            }
            Self::Test(call) => {
                let mut children = vec![&mut call.input];
                children.extend(call.arguments.children());
                children
            }
        }
    }

    fn names(&mut self, on_name: OnName<'_>) -> ControlFlow<()> {
        if let Self::Name(Name { name, .. }) = self {
            on_name(name, Access::Load)?;
        }
        self.children().into_iter().try_for_each(|child| child.names(on_name))
    }
}

impl SliceBounds {
    fn children(&mut self) -> Vec<&mut Expr> {
        [&mut self.start, &mut self.stop, &mut self.step].into_iter().flatten().collect()
    }
}

impl Arguments {
    pub(super) fn children(&mut self) -> Vec<&mut Expr> {
        let mut children: Vec<_> = self.positional.iter_mut().collect();
        children.extend(self.named.iter_mut().map(|(_, value)| value));
        children.extend(&mut self.splat);
        children.extend(&mut self.named_splat);
        children
    }
}

impl Target {
    /// Every name of the target, and whether it is stored or only looked up.
    pub(super) fn names(&mut self, on_name: OnName<'_>) -> ControlFlow<()> {
        match self {
            Self::Name(name) => on_name(&name.name, Access::Store),
            Self::Namespace(name, _) => on_name(&name.name, Access::Load),
            Self::Tuple(targets) => targets.iter_mut().try_for_each(|target| target.names(on_name)),
        }
    }
}

/// Every expression that stands in the statements, and in those inside of them.
pub(super) fn expressions(statements: &mut [Stmt], on_expr: &mut dyn FnMut(&mut Expr)) {
    for statement in statements {
        expressions_of(statement, on_expr);
    }
}

fn expressions_of(statement: &mut Stmt, on_expr: &mut dyn FnMut(&mut Expr)) {
    match statement {
        Stmt::Text(_) | Stmt::Block(_) => {}
        Stmt::Print(expr) | Stmt::Set(_, expr) => on_expr(expr),
        Stmt::If(branches, otherwise) => {
            for (test, body) in branches {
                on_expr(test);
                expressions(body, on_expr);
            }
            expressions(otherwise, on_expr);
        }
        Stmt::For(node) => {
            on_expr(&mut node.items);
            if let Some(test) = &mut node.test {
                on_expr(&mut test.condition);
            }
            expressions(&mut node.body.statements, on_expr);
            if let Some(otherwise) = &mut node.otherwise {
                expressions(&mut otherwise.statements, on_expr);
            }
        }
        Stmt::SetBlock(node) => {
            node.filter.iter_mut().for_each(&mut *on_expr);
            expressions(&mut node.body.statements, on_expr);
        }
        Stmt::With(node) => {
            node.variables.iter_mut().for_each(|(_, value)| on_expr(value));
            expressions(&mut node.body.statements, on_expr);
        }
        Stmt::Filter(node) => {
            on_expr(&mut node.filter);
            expressions(&mut node.body.statements, on_expr);
        }
        Stmt::Macro(node) => {
            node.defaults.iter_mut().for_each(&mut *on_expr);
            expressions(&mut node.body.statements, on_expr);
        }
        Stmt::CallBlock(node) => {
            on_expr(&mut node.call.callee);
            node.call.arguments.children().into_iter().for_each(&mut *on_expr);
            node.caller.defaults.iter_mut().for_each(&mut *on_expr);
            expressions(&mut node.caller.body.statements, on_expr);
        }
        Stmt::Autoescape(node) => {
            on_expr(&mut node.flag);
            expressions(&mut node.body.statements, on_expr);
        }
        Stmt::Load(node) => on_expr(&mut node.template),
    }
}

/// Every name of the statements, down to the last; blocks stand apart.
pub(super) fn names(statements: &mut [Stmt], on_name: OnName<'_>) -> ControlFlow<()> {
    statements.iter_mut().try_for_each(|statement| names_of(statement, on_name))
}

fn names_of(statement: &mut Stmt, on_name: OnName<'_>) -> ControlFlow<()> {
    let body = |scoped: &mut Scoped, on_name: OnName<'_>| names(&mut scoped.statements, on_name);
    match statement {
        Stmt::Text(_) | Stmt::Block(_) => ControlFlow::Continue(()),
        Stmt::Print(expr) => expr.names(on_name),
        Stmt::If(branches, otherwise) => {
            for (test, statements) in branches {
                test.names(on_name)?;
                names(statements, on_name)?;
            }
            names(otherwise, on_name)
        }
        Stmt::For(node) => {
            node.target.names(on_name)?;
            node.items.names(on_name)?;
            body(&mut node.body, on_name)?;
            if let Some(otherwise) = &mut node.otherwise {
                body(otherwise, on_name)?;
            }
            match &mut node.test {
                Some(test) => test.condition.names(on_name),
                None => ControlFlow::Continue(()),
            }
        }
        Stmt::Set(target, value) => {
            target.names(on_name)?;
            value.names(on_name)
        }
        Stmt::SetBlock(node) => {
            node.target.names(on_name)?;
            if let Some(filter) = &mut node.filter {
                filter.names(on_name)?;
            }
            body(&mut node.body, on_name)
        }
        Stmt::With(node) => {
            for (target, value) in &mut node.variables {
                target.names(on_name)?;
                value.names(on_name)?;
            }
            body(&mut node.body, on_name)
        }
        Stmt::Filter(node) => {
            body(&mut node.body, on_name)?;
            node.filter.names(on_name)
        }
        Stmt::Macro(node) => macro_names(node, on_name),
        Stmt::CallBlock(node) => {
            node.call.callee.names(on_name)?;
            for argument in node.call.arguments.children() {
                argument.names(on_name)?;
            }
            macro_names(&mut node.caller, on_name)
        }
        Stmt::Autoescape(node) => {
            node.flag.names(on_name)?;
            body(&mut node.body, on_name)
        }
        Stmt::Load(node) => node.template.names(on_name),
    }
}

fn macro_names(node: &mut Macro, on_name: OnName<'_>) -> ControlFlow<()> {
    for parameter in &node.parameters {
        on_name(&parameter.name, Access::Store)?;
    }
    for default in &mut node.defaults {
        default.names(on_name)?;
    }
    names(&mut node.body.statements, on_name)
}

/// Whether the statements look at `name` before they set it.
pub(super) fn looks_at(statements: &mut [Stmt], name: &str) -> bool {
    let mut is_used = false;
    let _ = names(statements, &mut |found, access| {
        if found != name {
            return ControlFlow::Continue(());
        }
        is_used = access == Access::Load;
        ControlFlow::Break(())
    });
    is_used
}

/// Whether the statements set `name`.
pub(super) fn sets(statements: &mut [Stmt], name: &str) -> bool {
    names(statements, &mut |found, access| {
        if found == name && access == Access::Store {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
    .is_break()
}
