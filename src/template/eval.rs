//! Evaluates expressions.

use super::args::Args;
use super::ast::{Arguments, Call, CompareOp, Expr, FilterCall, Slot, TestCall};
use super::cx::Cx;
use super::dismantle::dismantle;
use super::error::EvalError;
use super::iterate::{Iter, nothing, pairs};
use super::methods;
use super::object::{Callable, Object};
use super::ops::{self, Order};
use super::scoping::Tree;
use super::value::{Missing, Text, Value};
use super::{dict::Key, functions, markup};

/// Nesting of expressions and macros beyond which Python gives up as well.
const MAX_DEPTH: usize = 400;

/// What a call of a macro takes of it, compared with an expression.
const CALL: usize = 8;

/// One evaluation of a template.
pub(crate) struct Evaluation<'a, 'c> {
    pub(super) cx: &'c Cx<'a>,
    pub(super) tree: &'a Tree,
    /// The variables; `None` is one that is not set.
    pub(super) slots: Vec<Option<Value<'a>>>,
    /// The values of the tree's imports.
    pub(super) imports: Vec<Value<'a>>,
    /// The texts of the filter blocks around the present place.
    pub(super) captured: Vec<Value<'a>>,
    pub(super) is_autoescaped: bool,
    depth: usize,
}

impl<'a, 'c> Evaluation<'a, 'c> {
    /// An evaluation of a tree over the values of its imports, in their order.
    pub(crate) fn new(cx: &'c Cx<'a>, tree: &'a Tree, imports: Vec<Value<'a>>) -> Self {
        let slots = vec![None; tree.n_slots];
        Self { cx, tree, slots, imports, captured: Vec::new(), is_autoescaped: false, depth: 0 }
    }

    pub(super) fn get(&self, slot: Slot) -> Option<&Value<'a>> {
        self.slots.get(slot).and_then(Option::as_ref)
    }

    pub(super) fn set(&mut self, slot: Slot, value: Value<'a>) {
        if let Some(variable) = self.slots.get_mut(slot) {
            *variable = Some(value);
        }
    }

    /// Does something that may lead back here, and takes `weight` of the stack.
    fn nested<T>(
        &mut self,
        weight: usize,
        work: impl FnOnce(&mut Self) -> Result<T, EvalError>,
    ) -> Result<T, EvalError> {
        if self.depth + weight > MAX_DEPTH {
            return Err(EvalError::Recursion);
        }
        self.depth += weight;
        let result = work(self);
        self.depth -= weight;
        result
    }

    /// The value of an expression.
    pub(crate) fn eval(&mut self, expr: &'a Expr) -> Result<Value<'a>, EvalError> {
        self.cx.step()?;
        match expr {
            Expr::None => Ok(Value::None),
            Expr::Bool(flag) => Ok(Value::Bool(*flag)),
            Expr::Int(int) => Ok(Value::Int(*int)),
            Expr::BigInt(int) => Ok(Value::from_bigint(int.clone())),
            Expr::Float(float) => Ok(Value::Float(*float)),
            Expr::Str(text) => Ok(Value::from(text.as_str())),
            Expr::Name(name) => Ok(match self.get(name.slot) {
                Some(value) => value.clone(),
                None => Value::undefined(Missing::Name(Text::Borrowed(&name.name))),
            }),
            _ => self.nested(1, |this| this.eval_compound(expr)),
        }
    }

    fn eval_compound(&mut self, expr: &'a Expr) -> Result<Value<'a>, EvalError> {
        match expr {
            Expr::Tuple(items) => Ok(Value::tuple(self.eval_all(items)?)),
            Expr::List(items) => Ok(Value::list(self.eval_all(items)?)),
            Expr::Dict(items) => self.eval_dict(items),
            Expr::Binary(op, operands) => {
                let left = self.eval(&operands.0)?;
                let right = self.eval(&operands.1)?;
                ops::binary(self.cx, *op, &left, &right)
            }
            Expr::And(operands) => match self.eval(&operands.0)? {
                left if left.is_truthy() => self.eval(&operands.1),
                left => Ok(left),
            },
            Expr::Or(operands) => match self.eval(&operands.0)? {
                left if left.is_truthy() => Ok(left),
                _ => self.eval(&operands.1),
            },
            Expr::Not(operand) => Ok(Value::Bool(!self.eval(operand)?.is_truthy())),
            Expr::Negative(operand) => ops::negative(&self.eval(operand)?),
            Expr::Positive(operand) => ops::positive(&self.eval(operand)?),
            Expr::Concat(parts) => self.eval_concatenation(parts),
            Expr::Compare(first, others) => self.eval_comparison(first, others),
            Expr::Conditional(parts) => {
                match (self.eval(&parts.test)?.is_truthy(), &parts.otherwise) {
                    (true, _) => self.eval(&parts.then),
                    (false, Some(otherwise)) => self.eval(otherwise),
                    (false, None) => Ok(nothing(&format!(
                        "the inline if-expression on line {} evaluated to false and no else section \
                     was defined.",
                        parts.line
                    ))),
                }
            }
            Expr::Attribute(value, name) => {
                let value = self.eval(value)?;
                self.attribute(&value, Text::Borrowed(name))
            }
            Expr::Item(parts) => {
                let value = self.eval(&parts.0)?;
                let key = self.eval(&parts.1)?;
                match (&value, &key) {
                    (Value::Object(_), Value::Str(name)) => self.attribute(&value, name.clone()),
                    _ => ops::get_item(&value, &key),
                }
            }
            Expr::Slice(parts) => {
                let value = self.eval(&parts.0)?;
                let mut bound = |bound: &'a Option<Expr>| match bound {
                    Some(bound) => self.eval(bound),
                    None => Ok(Value::None),
                };
                let (start, stop) = (bound(&parts.1.start)?, bound(&parts.1.stop)?);
                let step = bound(&parts.1.step)?;
                ops::slice(&value, &start, &stop, &step)
            }
            Expr::SliceObject(_) => Ok(Value::Ellipsis),
            Expr::Call(call) => self.eval_call(call, None),
            Expr::Filter(call) => self.eval_filter(call),
            Expr::Test(call) => self.eval_test(call).map(Value::Bool),
            _ => Err(EvalError::Runtime("not an expression".to_owned())),
        }
    }

    fn eval_all(&mut self, exprs: &'a [Expr]) -> Result<Vec<Value<'a>>, EvalError> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn eval_dict(&mut self, items: &'a [(Expr, Expr)]) -> Result<Value<'a>, EvalError> {
        let mut dict = super::dict::Dict::with_capacity(items.len());
        for (key, value) in items {
            let key = self.eval(key)?;
            let value = self.eval(value)?;
            dict.insert(Key::new(key)?, value);
        }
        Ok(Value::dict(dict))
    }

    fn eval_concatenation(&mut self, parts: &'a [Expr]) -> Result<Value<'a>, EvalError> {
        let parts = self.eval_all(parts)?;
        let has_markup = parts.iter().any(|part| matches!(part, Value::Markup(_)));
        let is_markup = self.is_autoescaped && has_markup;
        let mut text = String::new();
        for part in &parts {
            text.push_str(&if is_markup { markup::escape(part)? } else { part.py_str()? });
        }
        self.cx.charge(text.len())?;
        Ok(if is_markup { Value::Markup(text.into()) } else { Value::from(text) })
    }

    fn eval_comparison(
        &mut self,
        first: &'a Expr,
        others: &'a [(CompareOp, Expr)],
    ) -> Result<Value<'a>, EvalError> {
        let mut left = self.eval(first)?;
        for (op, right) in others {
            let right = self.eval(right)?;
            let holds = match op {
                CompareOp::Eq => ops::equal(self.cx, &left, &right)?,
                CompareOp::Ne => !ops::equal(self.cx, &left, &right)?,
                CompareOp::Lt => ops::compare(self.cx, Order::Lt, &left, &right)?,
                CompareOp::Le => ops::compare(self.cx, Order::Le, &left, &right)?,
                CompareOp::Gt => ops::compare(self.cx, Order::Gt, &left, &right)?,
                CompareOp::Ge => ops::compare(self.cx, Order::Ge, &left, &right)?,
                CompareOp::In => ops::contains(self.cx, &right, &left)?,
                CompareOp::NotIn => !ops::contains(self.cx, &right, &left)?,
            };
            if !holds {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    /// `value.name`, also where finding it runs a part of the template.
    fn attribute(&mut self, value: &Value<'a>, name: Text<'a>) -> Result<Value<'a>, EvalError> {
        if let Value::Object(object) = value {
            match &**object {
                Object::Loop(state) => {
                    if let Some(found) = self.loop_attribute(state, &name)? {
                        return Ok(found);
                    }
                }
                Object::TemplateReference
                    if self.tree.blocks.iter().any(|block| block.name == *name) =>
                {
                    return Ok(Object::BlockReference(name.to_string()).into_value());
                }
                _ => {}
            }
        }
        ops::get_attribute(value, name)
    }

    pub(super) fn eval_call(
        &mut self,
        call: &'a Call,
        caller: Option<Value<'a>>,
    ) -> Result<Value<'a>, EvalError> {
        let callee = self.eval(&call.callee)?;
        let mut args = self.eval_arguments(&call.arguments)?;
        args.named.extend(caller.map(|caller| (Text::Borrowed("caller"), caller)));
        self.call(&callee, args)
    }

    fn call(&mut self, callee: &Value<'a>, args: Args<'a>) -> Result<Value<'a>, EvalError> {
        match callee {
            Value::Undefined(undefined) => Err(undefined.error()),
            Value::Function(function) => functions::call(self.cx, *function, args),
            Value::BoundMethod(method) => match &method.receiver {
                Value::Object(object) => object.call_method(self.cx, method.name, args),
                _ => methods::call(self.cx, method, args),
            },
            Value::Object(object) => match &**object {
                Object::Macro(Callable(node)) => {
                    self.nested(CALL, |this| this.call_macro(node, args))
                }
                Object::Loop(state) => self.nested(CALL, |this| this.call_loop(state, args)),
                Object::BlockReference(name) => self.nested(CALL, |this| this.call_block(name)),
                Object::Joiner(joiner) => Ok(if joiner.is_used.replace(true) {
                    Value::str(joiner.separator.as_str())
                } else {
                    Value::from("")
                }),
                _ => Err(not_callable(callee)),
            },
            _ => Err(not_callable(callee)),
        }
    }

    fn eval_arguments(&mut self, arguments: &'a Arguments) -> Result<Args<'a>, EvalError> {
        let mut args = Args::of(self.eval_all(&arguments.positional)?);
        for (name, value) in &arguments.named {
            args.named.push((Text::Borrowed(name), self.eval(value)?));
        }
        if let Some(splat) = &arguments.splat {
            let splat = self.eval(splat)?;
            let items = Iter::find(&splat)
                .ok_or_else(|| EvalError::type_error("argument after * must be an iterable"))?;
            args.positional.extend(items.collect(self.cx)?);
        }
        if let Some(splat) = &arguments.named_splat {
            let splat = self.eval(splat)?;
            if !ops::is_mapping(&splat) {
                return Err(EvalError::type_error("argument after ** must be a mapping"));
            }
            for (name, value) in pairs(&splat) {
                match name {
                    Value::Str(name) => args.named.push((name, value)),
                    _ => return Err(EvalError::type_error("keywords must be strings")),
                }
            }
        }
        Ok(args)
    }

    fn eval_filter(&mut self, call: &'a FilterCall) -> Result<Value<'a>, EvalError> {
        let Some(filter) = call.filter else {
            return Err(EvalError::Runtime(format!("No filter named '{}' found.", call.name)));
        };
        let input = match &call.input {
            Some(input) => self.eval(input)?,
            None => self.captured.last().cloned().unwrap_or(Value::None),
        };
        let args = self.eval_arguments(&call.arguments)?;
        filter(self.cx, &input, args)
    }

    fn eval_test(&mut self, call: &'a TestCall) -> Result<bool, EvalError> {
        let Some(test) = call.test else {
            return Err(EvalError::Runtime(format!("No test named '{}' found.", call.name)));
        };
        let input = self.eval(&call.input)?;
        let args = self.eval_arguments(&call.arguments)?;
        test(self.cx, &input, args)
    }
}

impl Drop for Evaluation<'_, '_> {
    fn drop(&mut self) {
        dismantle(self.slots.drain(..).flatten().collect());
    }
}

fn not_callable(value: &Value<'_>) -> EvalError {
    EvalError::Type(format!("'{}' object is not callable", value.type_name()))
}
