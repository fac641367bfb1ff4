import type { Path } from "../api/types";
import { isObject, referenceOf } from "../document/walk";
import { useForm } from "./context";

/** The parent stream of another: one of the manifest's own, by its place. */
export function StreamReference({ id, path }: { id: string; path: Path }) {
  const { project, readOnly } = useForm();
  const parent = project.node(path.slice(0, -1));
  const written = isObject(parent.value) ? parent.value.stream : undefined;
  const reference = referenceOf(isObject(written) ? written.$ref : written);
  const at = [...parent.at, "stream"];
  const streams = project.analysis.value.outline.streams;
  const own = path[0] === "streams" ? path[1] : undefined;
  const chosen = reference?.[0] === "streams" && reference[1] !== own ? String(reference[1]) : "";
  const other = written !== undefined && !reference;
  return (
    <select
      id={id}
      class="input"
      value={chosen}
      disabled={readOnly}
      onChange={(event) =>
        event.currentTarget.value &&
        void project.set(at, { $ref: `#/streams/${event.currentTarget.value}` }, "Choose the parent stream")
      }
    >
      {!chosen && <option value="">{other ? "Written in place" : "Choose a stream…"}</option>}
      {streams
        .filter((stream) => stream.index !== own)
        .map((stream) => (
          <option key={stream.index} value={String(stream.index)}>
            {stream.name}
          </option>
        ))}
    </select>
  );
}
