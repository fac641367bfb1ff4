//! `ComponentMappingDefinition`: what of a template is filled, and with what.

use crate::components::added_field::yaml::ValueType;
use crate::components::shape::{Text, shape};
use crate::components::{BuildError, ReadError, Surroundings};
use crate::manifest::{Findings, Node, Source, parse};
use crate::template::{InterpolatedBoolean, InterpolatedString, ValidTypes};
use crate::value::{Json, Path, StreamSlice, insert, is_truthy};

/// The YAML shape.
pub mod yaml {
    use super::{Text, ValueType, shape};

    shape! {
        /// What of a template is filled, and with what.
        pub struct ComponentMappingDefinition {
            /// The path of what is filled; segments are templates.
            field_path: Vec<Text>,
            /// What it is filled with: a template that sees `components_values` and
            /// `stream_template_config`.
            value: Text,
            /// The type that the value must have, or else it stays text; any when unset.
            value_type: Option<ValueType>,
            /// Whether it is made when the template does not have it.
            create_or_update: bool = false,
            /// Whether it is filled at all; sees what the value sees.
            condition: Option<Text>,
        }
    }
}

/// How values are read that templates give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As they are.
    AsIs,
    /// Text as YAML.
    Yaml,
    /// Text as YAML, unless text is what is wanted.
    YamlUnlessText,
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct Mapping {
    path: Vec<InterpolatedString>,
    value: InterpolatedString,
    value_type: Option<ValueType>,
    creates: bool,
    condition: Option<InterpolatedBoolean>,
}

/// What a template is filled from.
pub(super) struct Filling<'a> {
    /// The template before anything is filled.
    pub(super) template: &'a Json,
    /// The values for one stream.
    pub(super) values: &'a Json,
    /// The slice that gave the values, when they come from an API.
    pub(super) slice: Option<&'a StreamSlice>,
}

impl Mapping {
    /// Builds the mappings of a resolver; only some know `condition` and `create_or_update`.
    pub(super) fn build_all(
        shapes: &[yaml::ComponentMappingDefinition],
        knows_condition: bool,
        knows_creation: bool,
    ) -> Result<Vec<Self>, BuildError> {
        let build = |shape: &yaml::ComponentMappingDefinition| {
            let condition = shape.condition.as_ref().filter(|condition| !condition.is_empty());
            if let (Some(condition), false) = (condition, knows_condition) {
                let message = "`condition` is only supported for `ConfigComponentsResolver`";
                return Err(BuildError::in_span(condition.span, message));
            }
            let template = |text: &Text| InterpolatedString::new(text, shape.parameters.clone());
            Ok(Self {
                path: shape.field_path.iter().map(template).collect(),
                value: template(&shape.value),
                value_type: shape.value_type,
                creates: shape.create_or_update && knows_creation,
                condition: condition
                    .map(|text| InterpolatedBoolean::new(text, shape.parameters.clone())),
            })
        };
        shapes.iter().map(build).collect()
    }

    /// Fills `stream`, a copy of the template.
    pub(super) fn fill(
        &self,
        stream: &mut Json,
        from: &Filling<'_>,
        reading: Reading,
        surroundings: &Surroundings,
    ) -> Result<(), ReadError> {
        let config = surroundings.config().snapshot();
        let mut scope = surroundings
            .scope(&config)
            .with("components_values", from.values)
            .with("stream_template_config", from.template);
        if let Some(slice) = from.slice {
            scope.set("stream_slice", slice);
        }
        if let Some(condition) = &self.condition
            && !condition.eval(&scope)?
        {
            return Ok(());
        }
        let valid_types = self.value_type.map_or(ValidTypes::ANY, ValueType::valid_types);
        let value = self.value.eval_as(&scope, valid_types)?.to_json()?;
        let value = match reading {
            Reading::AsIs => value,
            Reading::YamlUnlessText if self.value_type == Some(ValueType::String) => value,
            Reading::Yaml | Reading::YamlUnlessText => read_yaml(value),
        };
        let segments = self.path.iter().map(|segment| Ok(segment.eval_json(&scope)?));
        let segments = segments.collect::<Result<Vec<_>, ReadError>>()?;
        let n_replaced = Path::new(segments.iter().cloned())?.replace(stream, &value);
        if n_replaced == 0
            && self.creates
            && is_truthy(&value)
            && let Json::Object(stream) = stream
        {
            insert(stream, &segments, value)?;
        }
        Ok(())
    }
}

/// What a text says as YAML; text that is none stays as it is.
fn read_yaml(value: Json) -> Json {
    let Json::String(text) = &value else { return value };
    let source = Source::new("", text.as_str());
    match parse(&source, &mut Findings::default()) {
        Some(node) => node.to_json(),
        None => value,
    }
}

/// Fills a copy of `template` for each of `fillings`.
pub(super) fn fill_all<'a>(
    mappings: &[Mapping],
    template: &Node,
    fillings: impl IntoIterator<Item = (&'a Json, Option<&'a StreamSlice>)>,
    reading: Reading,
    surroundings: &Surroundings,
) -> Result<Vec<Node>, ReadError> {
    let written = template.to_json();
    let fill = |(values, slice)| {
        let filling = Filling { template: &written, values, slice };
        let mut stream = written.clone();
        for mapping in mappings {
            mapping.fill(&mut stream, &filling, reading, surroundings)?;
        }
        Ok(Node::from_json(&stream, template.span()))
    };
    fillings.into_iter().map(fill).collect()
}
