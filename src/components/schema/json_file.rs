//! `JsonFileSchemaLoader`: the schema is in a JSON file.
//!
//! The file belongs to the source: its path counts from the manifest's folder,
//! or from the folder around it. References to other files lead to the folder
//! `shared` beside the schema; what they and local references stand for takes
//! their place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{self, BoxFuture};

use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, ReadError, SchemaLoader, Surroundings,
};
use crate::template::InterpolatedString;
use crate::value::{Json, Map, parse};

/// Where the schema is when the manifest does not say it.
const DEFAULT_PATH: &str = "./schemas/{{parameters['name']}}.json";

/// References within references that are followed.
const MAX_DEPTH: usize = 100;

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// The JSON schema of the stream, from a file. Write it into the manifest instead: see
        /// `InlineSchemaLoader`.
        pub struct JsonFileSchemaLoader {
            /// The path of the file; `./schemas/<name of the stream>.json` when unset.
            file_path: Option<Text>,
        }
    }
}

impl Component for yaml::JsonFileSchemaLoader {
    type Family = dyn SchemaLoader;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn SchemaLoader>, BuildError> {
        let path = self.file_path.as_deref().filter(|path| !path.is_empty());
        Ok(Arc::new(JsonFileSchemaLoader {
            path: InterpolatedString::new(path.unwrap_or(DEFAULT_PATH), self.parameters.clone()),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct JsonFileSchemaLoader {
    path: InterpolatedString,
    surroundings: Surroundings,
}

impl SchemaLoader for JsonFileSchemaLoader {
    fn load(&self) -> BoxFuture<'_, Result<Arc<Json>, ReadError>> {
        future::ready(self.read().map(Arc::new)).boxed()
    }

    fn known(&self) -> Option<Arc<Json>> {
        self.read().ok().map(Arc::new)
    }
}

impl JsonFileSchemaLoader {
    fn read(&self) -> Result<Json, ReadError> {
        let path = self.surroundings.eval(|scope| self.path.eval_string(&scope))?;
        read_schema(&self.surroundings.environment().base_dir, &path)
    }
}

fn read_schema(base_dir: &Path, path: &str) -> Result<Json, ReadError> {
    let relative = path.trim_start_matches("./").trim_start_matches('/');
    let around = base_dir.join("..");
    let found = [base_dir, around.as_path()].map(|folder| folder.join(relative));
    let Some(file) = found.into_iter().find(|file| file.is_file()) else {
        return Err(ReadError::unexpected("OSError", format!("Cannot find file {path}")));
    };
    let schema = read_json(base_dir, &file, path)?;
    let shared = file.parent().unwrap_or(base_dir).join("shared");
    References { base_dir, shared }.resolve(&schema, &schema, 0)
}

/// Reads a file in the folder `base_dir`; one outside, by whichever way, is not looked at: the
/// manifest may be another's than the machine.
fn read_json(base_dir: &Path, file: &Path, path: &str) -> Result<Json, ReadError> {
    let fault = |sentence: String| ReadError::unexpected("OSError", sentence);
    let not_found = |_| fault(format!("Cannot find file {path}"));
    // A manifest without a folder stands where the program was started.
    let folder = if base_dir.as_os_str().is_empty() { Path::new(".") } else { base_dir };
    let folder = folder.canonicalize().map_err(not_found)?;
    let file = file.canonicalize().map_err(not_found)?;
    if !file.starts_with(folder) {
        return Err(fault(format!("The file {path} is outside of the folder of the manifest")));
    }
    let bytes = std::fs::read(file).map_err(not_found)?;
    parse(&bytes).map_err(|_| {
        ReadError::unexpected("RuntimeError", format!("Invalid JSON file format for file {path}"))
    })
}

/// Puts what references stand for in their place.
struct References<'a> {
    /// The folder of the manifest.
    base_dir: &'a Path,
    /// The folder of schemas that others refer to.
    shared: PathBuf,
}

impl References<'_> {
    /// `part` of the document `root` without references.
    fn resolve(&self, part: &Json, root: &Json, depth: usize) -> Result<Json, ReadError> {
        match part {
            Json::Object(object) => {
                if let Some(reference) = object.get("$ref").and_then(Json::as_str) {
                    return self.follow(reference, root, depth);
                }
                let entries = object.iter().map(|(key, part)| {
                    self.resolve(part, root, depth).map(|part| (key.clone(), part))
                });
                entries.collect::<Result<Map, _>>().map(Json::Object)
            }
            Json::Array(items) => {
                items.iter().map(|item| self.resolve(item, root, depth)).collect()
            }
            part => Ok(part.clone()),
        }
    }

    fn follow(&self, reference: &str, root: &Json, depth: usize) -> Result<Json, ReadError> {
        let unresolvable = || {
            ReadError::unexpected("JsonRefError", format!("Unresolvable reference: {reference}"))
        };
        if depth == MAX_DEPTH {
            return Err(unresolvable());
        }
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let document;
        let root = if file.is_empty() {
            root
        } else {
            document = read_json(self.base_dir, &self.shared.join(file), file)?;
            &document
        };
        let part = root.pointer(pointer).ok_or_else(unresolvable)?;
        let mut resolved = self.resolve(part, root, depth + 1)?;
        if let Json::Object(object) = &mut resolved {
            object.shift_remove("definitions");
        }
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn source(files: &[(&str, &Json)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, content.to_string()).unwrap();
        }
        folder
    }

    #[test]
    fn the_file_is_beside_the_manifest_or_around_it() {
        let schema = json!({"type": "object"});
        let folder = source(&[("source_x/schemas/s.json", &schema)]);
        let package = folder.path().join("source_x");
        assert_eq!(read_schema(&package, "./schemas/s.json").unwrap(), schema);
        assert_eq!(read_schema(&package, "./source_x/schemas/s.json").unwrap(), schema);
        let error = read_schema(&package, "./schemas/t.json").unwrap_err();
        assert_eq!(error.to_string(), "Cannot find file ./schemas/t.json");
    }

    #[test]
    fn references_are_replaced() {
        let schema = json!({
            "properties": {"a": {"$ref": "#/definitions/d"}, "b": [{"$ref": "more.json#/definitions/e"}]},
            "definitions": {"d": {"type": "string"}}
        });
        let more =
            json!({"definitions": {"e": {"$ref": "#/definitions/f"}, "f": {"type": "null"}}});
        let folder = source(&[("schemas/s.json", &schema), ("schemas/shared/more.json", &more)]);
        assert_eq!(
            read_schema(folder.path(), "schemas/s.json").unwrap(),
            json!({
                "properties": {"a": {"type": "string"}, "b": [{"type": "null"}]},
                "definitions": {"d": {"type": "string"}}
            })
        );
    }

    #[test]
    fn no_file_outside_of_the_folder_is_read() {
        let leaving = json!({"a": {"$ref": "../../../secret.json#/key"}});
        let secret = json!({"key": "s3cret"});
        let folder = source(&[("source_x/schemas/s.json", &leaving), ("secret.json", &secret)]);
        std::fs::create_dir_all(folder.path().join("source_x/schemas/shared")).unwrap();
        let package = folder.path().join("source_x");
        let absolute = json!({"a": {"$ref": folder.path().join("secret.json")}});
        std::fs::write(package.join("schemas/t.json"), absolute.to_string()).unwrap();
        for path in [
            "secret.json",
            "./a/../../secret.json",
            "../secret.json",
            "schemas/s.json",
            "schemas/t.json",
        ] {
            let error = read_schema(&package, path).unwrap_err().to_string();
            let is_refused = error.ends_with("is outside of the folder of the manifest");
            assert!(is_refused || error == format!("Cannot find file {path}"), "{error}");
        }
        assert!(read_schema(&package, "secret.json").unwrap_err().to_string().contains("outside"));
    }

    #[test]
    fn references_that_lead_nowhere_are_errors() {
        let schema = json!({"a": {"$ref": "#/a"}});
        let folder = source(&[("s.json", &schema), ("t.json", &json!({"a": {"$ref": "#/b"}}))]);
        for path in ["s.json", "t.json"] {
            let error = read_schema(folder.path(), path).unwrap_err();
            assert!(error.to_string().starts_with("Unresolvable reference: #/"), "{error}");
        }
    }
}
