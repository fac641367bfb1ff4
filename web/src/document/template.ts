import type { Edit, Json, JsonObject } from "../api/types";
import { newStream } from "./skeleton";
import { starterOf } from "./starters";
import { isObject } from "./walk";

/** Adds a template of streams that takes its streams from an endpoint. */
export function addTemplateEdits(document: Json): Edit[] {
  const list = isObject(document) && Array.isArray(document.dynamic_streams) ? document.dynamic_streams : null;
  const stream = newStream(document, "template", "/{{ components_values['name'] }}");
  const value: JsonObject = {
    type: "DynamicDeclarativeStream",
    name: `template_${(list?.length ?? 0) + 1}`,
    stream_template: stream,
    components_resolver: starterOf("HttpComponentsResolver") ?? {},
  };
  return list
    ? [{ op: "insert", path: ["dynamic_streams"], index: list.length, value }]
    : [{ op: "set", path: ["dynamic_streams"], value: [value] }];
}
