//! Takes values apart without recursion.

use std::rc::Rc;

use super::object::Object;
use super::value::Value;

/// Drops values whose containers may lie in one another deeper than the
/// stack reaches: a loop can wrap a list in a list as often as it runs.
pub(super) fn dismantle(mut pending: Vec<Value<'_>>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::List(list) => {
                pending.extend(
                    Rc::into_inner(list).into_iter().flat_map(std::cell::RefCell::into_inner),
                );
            }
            Value::Dict(dict) => {
                let dict = Rc::into_inner(dict).map(std::cell::RefCell::into_inner);
                pending.extend(dict.into_iter().flatten().map(|(_, value)| value));
            }
            Value::Tuple(mut items) => {
                let items = Rc::get_mut(&mut items).unwrap_or_default();
                pending.extend(items.iter_mut().map(|item| std::mem::replace(item, Value::None)));
            }
            Value::Object(object) => match Rc::into_inner(object) {
                Some(Object::Namespace(attributes)) => {
                    pending.extend(attributes.into_inner().into_values());
                }
                Some(Object::Cycler(cycler)) => pending.extend(cycler.items),
                _ => {}
            },
            _ => {}
        }
    }
}
