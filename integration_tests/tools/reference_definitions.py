"""Prints the definitions of the reference's manifest language, each with its fields and what they may hold.

The test `components::definitions` compares our own schema with the list. To renew it for another
version of the reference:

    pip install airbyte-cdk==7.39.1
    python integration_tests/tools/reference_definitions.py > src/components/testdata/definitions.json

How it is spelled: `name?` is a field that may be left out, `@Name` another definition, `[x]` a list,
`{*: x}` a mapping with any keys, `{a: x}` one with these; `*: refused` means that it has no others.
"""

import json
import pkgutil

import yaml

KINDS = {"array", "boolean", "null", "number", "object", "string"}


def spell(schema):
    return " | ".join(sorted(set(spell_parts(schema))))


def spell_parts(schema):
    if schema is True:
        return ["any"]
    if "$ref" in schema:
        return ["@" + schema["$ref"].rsplit("/", 1)[-1]]
    unions = schema.get("anyOf", []) + schema.get("oneOf", [])
    if unions:
        return [part for member in unions for part in spell_parts(member)]
    if "enum" in schema:
        return [json.dumps(word) for word in schema["enum"]]
    kinds = schema.get("type", "object" if "properties" in schema else "any")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return ["any"] if set(kinds) == KINDS else [spell_kind(kind, schema) for kind in kinds]


def spell_kind(kind, schema):
    def bound(name, sign):
        return f" {sign} {schema[name]:g}" if name in schema else ""

    if kind == "array":
        items = spell(schema.get("items", True)) + (" once" if schema.get("uniqueItems") else "")
        return f"[{items}]" + bound("minItems", "of at least")
    if kind == "object" and schema.get("properties"):
        fields = spell_fields(schema).items()
        return "{" + ", ".join(f"{name}: {value}" for name, value in fields) + "}"
    if kind == "object":
        values = spell(schema.get("additionalProperties") or True)
        return "object" if values == "any" else "{*: " + values + "}"
    return kind + bound("minimum", ">=") + bound("exclusiveMinimum", ">")


def spell_fields(schema):
    required = schema.get("required", [])
    fields = {
        name + ("" if name in required else "?"): spell(value)
        for name, value in schema["properties"].items()
        if name != "$parameters"
    }
    if schema.get("additionalProperties") is False:
        fields["*"] = "refused"
    return dict(sorted(fields.items()))


def main():
    text = pkgutil.get_data(
        "airbyte_cdk", "sources/declarative/declarative_component_schema.yaml"
    )
    schema = yaml.safe_load(text)
    definitions = {**schema["definitions"], "DeclarativeSource": schema}
    spelled = {
        name: spell_fields(it) if "properties" in it else spell(it)
        for name, it in sorted(definitions.items())
    }
    print(json.dumps(spelled, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
