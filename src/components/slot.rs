//! Fields that hold another component, and the table that says who can stand there.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use serde_json::json;

use crate::manifest::{Finding, Key, Node, NodeValue};
use crate::value::Json;

use super::BuildContext;
use super::definitions::{Definitions, FAMILY, reference};
use super::error::BuildError;
use super::shape::{FieldValue, Reader, Shape, TypeField};

/// A family of components that can stand for one another.
pub trait Family: 'static {
    /// The family's name, as `components/registry.rs` lists it.
    const NAME: &'static str;
    /// What building a member gives.
    type Built: 'static;
}

/// A component's YAML mapping that knows how it is built.
pub trait Component: Shape {
    /// The family it belongs to.
    type Family: Family + ?Sized;

    /// Builds the object that runs.
    fn build(self, cx: &BuildContext<'_>) -> Result<<Self::Family as Family>::Built, BuildError>;
}

/// Which members of a family a field accepts.
pub trait Accepts: 'static {
    /// The types accepted; `None` accepts the whole family.
    const TYPES: Option<&'static [&'static str]>;
    /// Whether a list is accepted too, whose items together stand for one.
    const LISTS: bool = false;
}

/// Accepts the whole family.
#[derive(Debug, Clone, Copy)]
pub struct Whole;

impl Accepts for Whole {
    const TYPES: Option<&'static [&'static str]> = None;
}

/// Accepts the whole family, and lists of it.
#[derive(Debug, Clone, Copy)]
pub struct OneOrMore;

impl Accepts for OneOrMore {
    const TYPES: Option<&'static [&'static str]> = None;
    const LISTS: bool = true;
}

/// Makes one component of a list; the member of a family that [`OneOrMore`] refers to.
pub trait Combination: 'static {
    /// The family of the items, and of what is made.
    type Family: Family + ?Sized;

    /// Makes one of all.
    fn combine(
        items: Vec<<Self::Family as Family>::Built>,
        cx: &BuildContext<'_>,
    ) -> Result<<Self::Family as Family>::Built, BuildError>;
}

/// Declares a part of a family that a field accepts: `accepts!(Archived = "CsvDecoder", "JsonDecoder");`
macro_rules! accepts {
    ($(#[doc = $doc:literal])* $name:ident = $($type:literal),+ $(,)?) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl $crate::components::slot::Accepts for $name {
            const TYPES: Option<&'static [&'static str]> = Some(&[$($type),+]);
        }
    };
}

pub(crate) use accepts;

/// What a slot is about, without owning any of it.
type Marker<F, A> = fn() -> (Box<F>, A);

/// A field that holds a component of family `F`, still as it is written.
pub struct Slot<F: Family + ?Sized, A: Accepts = Whole> {
    node: Node,
    family: PhantomData<Marker<F, A>>,
}

impl<F: Family + ?Sized, A: Accepts> Slot<F, A> {
    /// A slot filled with `node`, which is checked when it is built.
    pub fn new(node: Node) -> Self {
        Self { node, family: PhantomData }
    }

    /// A slot that is filled with a component of type `name` without fields, for defaults.
    pub fn of_type(name: &str) -> Self {
        let fields = [(Key::new("type", None), Node::from(name))];
        Self::new(NodeValue::Map(fields.into_iter().collect()).into())
    }

    /// What is written.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Builds the component.
    pub fn build(&self, cx: &BuildContext<'_>) -> Result<F::Built, BuildError> {
        cx.registry.build::<F>(&self.node, cx)
    }
}

impl<F: Family + ?Sized, A: Accepts> Clone for Slot<F, A> {
    fn clone(&self) -> Self {
        Self::new(self.node.clone())
    }
}

impl<F: Family + ?Sized, A: Accepts> fmt::Debug for Slot<F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot<{}>({})", F::NAME, self.node.type_name().unwrap_or("?"))
    }
}

impl<F: Family + ?Sized, A: Accepts> FieldValue for Slot<F, A> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let registry = reader.registry();
        let is_fine = match node.as_seq().filter(|_| A::LISTS) {
            Some(items) => {
                let check = |(idx, item)| {
                    reader.within_item(idx, item, |item, reader| {
                        registry.check(F::NAME, A::TYPES, item, reader).then_some(())
                    })
                };
                // All items are checked before the first bad one ends it, for all findings.
                let checked: Vec<_> = items.iter().enumerate().map(check).collect();
                checked.iter().all(Option::is_some)
            }
            None => registry.check(F::NAME, A::TYPES, node, reader),
        };
        is_fine.then(|| Self::new(node.clone()))
    }

    fn schema() -> Json {
        let one = match A::TYPES {
            Some(types) => {
                let refs: Vec<_> = types.iter().map(|it| reference(it)).collect();
                json!({"anyOf": refs})
            }
            // The registry writes the union, which only it knows.
            None => json!({FAMILY: F::NAME}),
        };
        if A::LISTS { json!({"anyOf": [one, {"type": "array", "items": one}]}) } else { one }
    }
}

/// Stands for the `type` of a list; no manifest can write it.
const LIST: &str = "[]";

/// Builds the component written at a place; what comes is what its family says.
type BuildMember = fn(&Node, &BuildContext<'_>) -> Result<Box<dyn Any>, BuildError>;

/// One member of a family: how it is checked, described, and built.
#[derive(Clone, Copy)]
pub struct Member {
    /// The component's `type`.
    pub type_name: &'static str,
    /// Whether a mapping without a `type` can be it.
    needs_type: bool,
    check: fn(&Node, &mut Reader<'_>) -> bool,
    gather: fn(&mut Definitions),
    build: BuildMember,
}

impl Member {
    /// The member that `C` is.
    pub const fn of<C: Component + FieldValue>() -> Self {
        Self {
            type_name: C::TYPE,
            needs_type: matches!(C::MANNER.type_field, TypeField::Required),
            check: |node, reader| <C as Shape>::read(node, reader).is_some(),
            gather: C::gather,
            build: |node, cx| {
                let shape = cx.read::<C>(node)?;
                Ok(Box::new(shape.build(cx)?))
            },
        }
    }

    /// What makes one component of a list of them.
    pub const fn list<C: Combination>() -> Self {
        Self {
            type_name: LIST,
            needs_type: true,
            check: |_, _| false,
            gather: |_| {},
            build: |node, cx| {
                let items = node.as_seq().unwrap_or_default();
                let items = items.iter().map(|item| cx.registry.build::<C::Family>(item, cx));
                Ok(Box::new(C::combine(items.collect::<Result<_, _>>()?, cx)?))
            },
        }
    }

    /// Adds the member's definition, with all that it refers to.
    pub fn gather(&self, definitions: &mut Definitions) {
        (self.gather)(definitions);
    }

    /// Whether it stands for lists of members.
    pub fn is_list(&self) -> bool {
        self.type_name == LIST
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Member").field(&self.type_name).finish()
    }
}

/// All families with their members; the one value is in `components/registry.rs`.
#[derive(Debug)]
pub struct Registry {
    /// Family name and members.
    pub families: &'static [(&'static str, &'static [Member])],
    /// Family name and the members that are written in Python.
    pub custom: &'static [(&'static str, &'static [Member])],
}

impl Registry {
    /// The members of a family.
    pub fn members(&self, family: &str) -> impl Iterator<Item = &'static Member> {
        let families = self.families.iter().chain(self.custom);
        families.filter(move |(name, _)| *name == family).flat_map(|(_, members)| *members)
    }

    fn member(&self, family: &str, node: &Node) -> Option<&'static Member> {
        if node.as_seq().is_some() {
            return self.members(family).find(|member| member.is_list());
        }
        match node.type_name() {
            Some(name) => self.members(family).find(|member| member.type_name == name),
            None => self.members(family).find(|member| !member.needs_type),
        }
    }

    /// Checks that a component of `family` (and among `accepted`) is written at `node`.
    pub fn check(
        &self,
        family: &str,
        accepted: Option<&[&str]>,
        node: &Node,
        reader: &mut Reader<'_>,
    ) -> bool {
        if node.as_map().is_none() {
            reader.wrong_kind(node, &format!("a {family} (a mapping with a `type`)"));
            return false;
        }
        let member = self
            .member(family, node)
            .filter(|member| accepted.is_none_or(|types| types.contains(&member.type_name)));
        if let Some(member) = member {
            return (member.check)(node, reader);
        }
        let candidates: Vec<&str> = if let Some(types) = accepted {
            types.to_vec()
        } else {
            let names = self.members(family).map(|member| member.type_name);
            names.filter(|name| *name != LIST).collect()
        };
        let place = node.get("type").unwrap_or(node);
        let finding = match place.as_str() {
            Some(name) => {
                Finding::error("schema/type", format!("`{name}` is not a {family} that fits here"))
                    .help(format!("it is one of {}", candidates.join(", ")))
                    .suggest(name, candidates)
            }
            None => Finding::error("schema/type", "`type` is missing")
                .help(format!("it is one of {}", candidates.join(", "))),
        };
        reader.note(finding, place);
        false
    }

    /// Builds the component of family `F` that is written at `node`.
    pub fn build<F: Family + ?Sized>(
        &self,
        node: &Node,
        cx: &BuildContext<'_>,
    ) -> Result<F::Built, BuildError> {
        let Some(member) = self.member(F::NAME, node) else {
            let name = node.type_name().unwrap_or("nothing");
            return Err(BuildError::at(node, format!("`{name}` is not a {}", F::NAME)));
        };
        let built = (member.build)(node, cx)?;
        match built.downcast::<F::Built>() {
            Ok(built) => Ok(*built),
            Err(_) => Err(BuildError::at(
                node,
                format!("`{}` is registered in the wrong family", member.type_name),
            )),
        }
    }
}
