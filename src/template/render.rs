//! Executes statements.

use std::rc::Rc;

use super::args::Args;
use super::ast::{Entry, For, LoadFrom, Macro, Scoped, Stmt, Target};
use super::error::EvalError;
use super::eval::Evaluation;
use super::iterate::{Iter, nothing};
use super::loops::Loop;
use super::markup;
use super::object::{Callable, Object};
use super::ops;
use super::value::Value;

impl<'a> Evaluation<'a, '_> {
    /// The text that the whole template renders to.
    pub(crate) fn render(&mut self) -> Result<String, EvalError> {
        self.begin();
        let tree = self.tree;
        let mut out = String::new();
        self.execute(&tree.body.statements, &mut out)?;
        Ok(out)
    }

    /// Sets up the variables of the whole template.
    pub(crate) fn begin(&mut self) {
        let tree = self.tree;
        self.enter(&tree.body.entry);
        if let Some(slot) = tree.self_slot {
            self.set(slot, Object::TemplateReference.into_value());
        }
    }

    /// Begins the variables of a scope.
    pub(super) fn enter(&mut self, entry: &'a [Entry]) {
        for Entry { slot, load } in entry {
            self.slots[*slot] = match load {
                LoadFrom::Import(import) => self.imports.get(*import).cloned(),
                LoadFrom::Outer(outer) => self.slots[*outer].clone(),
                LoadFrom::Nothing => None,
            };
        }
    }

    fn execute(&mut self, statements: &'a [Stmt], out: &mut String) -> Result<(), EvalError> {
        statements.iter().try_for_each(|statement| self.execute_one(statement, out))
    }

    /// The text of a scope, with its variables set up.
    fn capture(&mut self, scoped: &'a Scoped) -> Result<String, EvalError> {
        self.enter(&scoped.entry);
        let mut out = String::new();
        self.execute(&scoped.statements, &mut out)?;
        Ok(out)
    }

    fn execute_one(&mut self, statement: &'a Stmt, out: &mut String) -> Result<(), EvalError> {
        self.cx.step()?;
        match statement {
            Stmt::Text(text) => {
                self.cx.charge(text.len())?;
                out.push_str(text);
            }
            Stmt::Print(expr) => {
                let value = self.eval(expr)?;
                self.print(&value, out)?;
            }
            Stmt::If(branches, otherwise) => {
                for (test, body) in branches {
                    if self.eval(test)?.is_truthy() {
                        return self.execute(body, out);
                    }
                }
                self.execute(otherwise, out)?;
            }
            Stmt::For(node) => {
                let items = self.eval(&node.items)?;
                self.run_loop(node, &items, 0, out)?;
            }
            Stmt::Set(target, value) => {
                self.check_namespaces(target)?;
                let value = self.eval(value)?;
                self.assign(target, value)?;
            }
            Stmt::SetBlock(node) => {
                let text = self.capture(&node.body)?;
                let text = self.as_text(text);
                let value = match &node.filter {
                    Some(filter) => {
                        self.captured.push(text);
                        let filtered = self.eval(filter);
                        self.captured.pop();
                        filtered?
                    }
                    None => text,
                };
                self.assign(&node.target, value)?;
            }
            Stmt::With(node) => {
                let mut values = Vec::with_capacity(node.variables.len());
                for (_, value) in &node.variables {
                    values.push(self.eval(value)?);
                }
                self.enter(&node.body.entry);
                for ((target, _), value) in node.variables.iter().zip(values) {
                    self.assign(target, value)?;
                }
                self.execute(&node.body.statements, out)?;
            }
            Stmt::Filter(node) => {
                let text = self.capture(&node.body)?;
                let text = self.as_text(text);
                self.captured.push(text);
                let filtered = self.eval(&node.filter);
                self.captured.pop();
                self.print(&filtered?, out)?;
            }
            Stmt::Macro(node) => {
                self.set(node.name.slot, Object::Macro(Callable(node)).into_value());
            }
            Stmt::CallBlock(node) => {
                let caller = Object::Macro(Callable(&node.caller)).into_value();
                let value = self.eval_call(&node.call, Some(caller))?;
                self.print(&value, out)?;
            }
            Stmt::Block(block) => {
                let block = &self.tree.blocks[*block];
                if block.is_required {
                    let message = format!("Required block '{}' not found", block.name);
                    return Err(EvalError::Runtime(message));
                }
                let text = self.call_block(&block.name)?;
                out.push_str(&text.py_str()?);
            }
            Stmt::Autoescape(node) => {
                self.enter(&node.body.entry);
                let flag = self.eval(&node.flag)?.is_truthy();
                let outer = std::mem::replace(&mut self.is_autoescaped, flag);
                let result = self.execute(&node.body.statements, out);
                self.is_autoescaped = outer;
                result?;
            }
            Stmt::Load(node) => {
                self.eval(&node.template)?;
                return Err(EvalError::type_error("no loader for this environment specified"));
            }
        }
        Ok(())
    }

    fn print(&mut self, value: &Value<'a>, out: &mut String) -> Result<(), EvalError> {
        let text = if self.is_autoescaped { markup::escape(value)? } else { value.py_str()? };
        self.cx.charge(text.len())?;
        out.push_str(&text);
        Ok(())
    }

    /// What a block of text is when it becomes a value.
    fn as_text(&self, text: String) -> Value<'a> {
        if self.is_autoescaped { Value::Markup(text.into()) } else { Value::from(text) }
    }

    /// Attributes can be set on namespaces only, which is checked before anything else.
    fn check_namespaces(&self, target: &'a Target) -> Result<(), EvalError> {
        match target {
            Target::Name(_) => Ok(()),
            Target::Tuple(targets) => {
                targets.iter().try_for_each(|target| self.check_namespaces(target))
            }
            Target::Namespace(name, _) => match self.get(name.slot) {
                Some(Value::Object(object)) if matches!(**object, Object::Namespace(_)) => Ok(()),
                _ => {
                    let message = "cannot assign attribute on non-namespace object";
                    Err(EvalError::Runtime(message.to_owned()))
                }
            },
        }
    }

    fn assign(&mut self, target: &'a Target, value: Value<'a>) -> Result<(), EvalError> {
        match target {
            Target::Name(name) => self.set(name.slot, value),
            Target::Namespace(name, attribute) => {
                if let Some(Value::Object(object)) = self.get(name.slot)
                    && let Object::Namespace(attributes) = &**object
                {
                    attributes.borrow_mut().insert(attribute.clone(), value);
                }
            }
            Target::Tuple(targets) => {
                let items = Iter::find(&value).ok_or_else(|| {
                    let type_name = value.type_name();
                    EvalError::Type(format!("cannot unpack non-iterable {type_name} object"))
                })?;
                let items = items.collect(self.cx)?;
                let (n_targets, n_items) = (targets.len(), items.len());
                if n_items < n_targets {
                    return Err(EvalError::Value(format!(
                        "not enough values to unpack (expected {n_targets}, got {n_items})"
                    )));
                }
                if n_items > n_targets {
                    return Err(EvalError::Value(format!(
                        "too many values to unpack (expected {n_targets})"
                    )));
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item)?;
                }
            }
        }
        Ok(())
    }

    fn run_loop(
        &mut self,
        node: &'a For,
        items: &Value<'a>,
        depth0: usize,
        out: &mut String,
    ) -> Result<(), EvalError> {
        let object = Rc::new(Object::Loop(Loop::new(node, items, depth0)?));
        let Object::Loop(state) = &*object else { return Ok(()) };
        let mut has_run = false;
        while let Some(item) = self.next_item(state)? {
            has_run = true;
            state.give(&item);
            self.enter(&node.body.entry);
            if let Some(slot) = node.loop_slot {
                self.set(slot, Value::Object(Rc::clone(&object)));
            }
            self.assign(&node.target, item)?;
            self.execute(&node.body.statements, out)?;
        }
        if let Some(otherwise) = &node.otherwise
            && !has_run
        {
            self.enter(&otherwise.entry);
            self.execute(&otherwise.statements, out)?;
        }
        Ok(())
    }

    fn next_item(&mut self, state: &Loop<'a>) -> Result<Option<Value<'a>>, EvalError> {
        match state.take_ahead() {
            Some(item) => Ok(Some(item)),
            None => self.pull(state),
        }
    }

    /// The next item that meets the loop's condition.
    fn pull(&mut self, state: &Loop<'a>) -> Result<Option<Value<'a>>, EvalError> {
        loop {
            let item = state.pull(self.cx)?;
            let (Some(item), Some(test)) = (&item, &state.node.test) else { return Ok(item) };
            self.enter(&test.entry);
            self.assign(&test.target, item.clone())?;
            if self.eval(&test.condition)?.is_truthy() {
                return Ok(Some(item.clone()));
            }
        }
    }

    /// The attributes of `loop` that look ahead.
    pub(super) fn loop_attribute(
        &mut self,
        state: &Loop<'a>,
        name: &str,
    ) -> Result<Option<Value<'a>>, EvalError> {
        Ok(Some(match name {
            "last" => Value::Bool(self.peek(state)?.is_none()),
            "nextitem" => self.peek(state)?.unwrap_or_else(|| nothing("there is no next item")),
            "length" => ops::int(self.loop_length(state)?),
            "revindex" => ops::int(self.loop_length(state)? - state.index0()),
            "revindex0" => ops::int(self.loop_length(state)? - state.index0() - 1),
            _ => return Ok(None),
        }))
    }

    fn peek(&mut self, state: &Loop<'a>) -> Result<Option<Value<'a>>, EvalError> {
        if let Some(item) = state.peeked() {
            return Ok(Some(item));
        }
        let item = self.pull(state)?;
        if let Some(item) = &item {
            state.put_ahead(item.clone());
        }
        Ok(item)
    }

    fn loop_length(&mut self, state: &Loop<'a>) -> Result<usize, EvalError> {
        if let Some(length) = state.length() {
            // A list that shrinks below its loop has no items left.
            return Ok(length.max(state.index0() + 1));
        }
        while let Some(item) = self.pull(state)? {
            state.put_ahead(item);
        }
        Ok(state.set_length())
    }

    /// `loop(items)` in a recursive loop.
    pub(super) fn call_loop(
        &mut self,
        state: &Loop<'a>,
        args: Args<'a>,
    ) -> Result<Value<'a>, EvalError> {
        if !state.node.is_recursive {
            return Err(EvalError::type_error(
                "The loop must have the 'recursive' marker to be called recursively.",
            ));
        }
        let items = args.only("loop")?;
        let text = self.in_fresh_slots(state.node.body.slots.clone(), |this| {
            let mut out = String::new();
            this.run_loop(state.node, &items, state.depth0 + 1, &mut out)?;
            Ok(out)
        })?;
        Ok(self.as_text(text))
    }

    /// Runs a part of the template that may be running already.
    fn in_fresh_slots<T>(
        &mut self,
        slots: std::ops::Range<usize>,
        work: impl FnOnce(&mut Self) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        let outer = self.slots[slots.clone()].to_vec();
        let result = work(self);
        self.slots[slots].clone_from_slice(&outer);
        result
    }

    pub(super) fn call_macro(
        &mut self,
        node: &'a Macro,
        args: Args<'a>,
    ) -> Result<Value<'a>, EvalError> {
        let text = self.in_fresh_slots(node.body.slots.clone(), |this| {
            this.enter(&node.body.entry);
            this.bind_macro(node, args)?;
            let mut out = String::new();
            this.execute(&node.body.statements, &mut out)?;
            Ok(out)
        })?;
        Ok(self.as_text(text))
    }

    /// Gives the parameters of a macro their values.
    fn bind_macro(&mut self, node: &'a Macro, args: Args<'a>) -> Result<(), EvalError> {
        let Args { mut positional, mut named } = args;
        let name = &node.name.name;
        let n_parameters = node.parameters.len();
        let rest = positional.split_off(positional.len().min(n_parameters));
        let mut take = |wanted: &str| {
            let found = named.iter().position(|(name, _)| **name == *wanted)?;
            Some(named.remove(found).1)
        };
        let n_given = positional.len();
        let mut values: Vec<_> = positional.into_iter().map(Some).collect();
        values.extend(node.parameters[n_given..].iter().map(|parameter| take(&parameter.name)));
        if let Some(slot) = node.caller_slot {
            let caller = take("caller").filter(|caller| !caller.is_none());
            self.set(slot, caller.unwrap_or_else(|| nothing("No caller defined")));
        }
        if let Some(slot) = node.kwargs_slot {
            let pairs = named.into_iter();
            let kwargs = pairs.map(|(name, value)| (super::dict::Key::str(name), value)).collect();
            self.set(slot, Value::dict(kwargs));
        } else if let Some((unknown, _)) = named.first() {
            return Err(EvalError::Type(format!(
                "macro '{name}' takes no keyword argument '{unknown}'"
            )));
        }
        if let Some(slot) = node.varargs_slot {
            self.set(slot, Value::tuple(rest));
        } else if !rest.is_empty() {
            return Err(EvalError::Type(format!(
                "macro '{name}' takes not more than {n_parameters} argument(s)"
            )));
        }
        let n_required = n_parameters - node.defaults.len();
        for (position, (parameter, value)) in node.parameters.iter().zip(values).enumerate() {
            let value = match (value, position.checked_sub(n_required)) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(&node.defaults[default])?,
                (None, None) => {
                    nothing(&format!("parameter '{}' was not provided", parameter.name))
                }
            };
            self.set(parameter.slot, value);
        }
        Ok(())
    }

    /// The text of a block.
    pub(super) fn call_block(&mut self, name: &str) -> Result<Value<'a>, EvalError> {
        let Some(block) = self.tree.blocks.iter().find(|block| block.name == name) else {
            return Ok(Value::None);
        };
        let text = self.in_fresh_slots(block.body.slots.clone(), |this| {
            if let Some(slot) = block.self_slot {
                this.set(slot, Object::TemplateReference.into_value());
            }
            if let Some(slot) = block.super_slot {
                let hint = format!("there is no parent block called '{name}'.");
                this.set(slot, nothing(&hint));
            }
            this.capture(&block.body)
        })?;
        Ok(self.as_text(text))
    }
}
