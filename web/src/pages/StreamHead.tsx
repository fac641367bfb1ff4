import { useEffect, useState } from "preact/hooks";
import type { Edit, Json } from "../api/types";
import { placeOf, shownItem } from "../document/edits";
import { addStreamEdits, newStream, removeStreamEdits } from "../document/skeleton";
import { isObject, walk } from "../document/walk";
import { YamlInPlace } from "../form/YamlInPlace";
import type { OpenProject } from "../state/project";
import { section } from "../state/view";
import { Button, Dialog, Labelled } from "../ui/basics";
import { Menu } from "../ui/Menu";
import { TextField } from "../ui/TextField";
import { toast } from "../state/toasts";

const PARTS: { key: string; title: string; path: string[] }[] = [
  { key: "request", title: "Query parameters and headers", path: ["retriever", "requester"] },
  { key: "selector", title: "Where the records are", path: ["retriever", "record_selector"] },
  { key: "paginator", title: "Pagination", path: ["retriever", "paginator"] },
  { key: "incremental", title: "Incremental sync", path: ["incremental_sync"] },
  { key: "router", title: "Partitions", path: ["retriever", "partition_router"] },
  { key: "transformations", title: "Transformations", path: ["transformations"] },
  { key: "errors", title: "Error handling", path: ["retriever", "requester", "error_handler"] },
];

const REQUEST_KEYS = ["request_parameters", "request_headers", "request_body"];

/** What is shown in the middle, by its name, and what can be done with it as a whole. */
export function StreamHead({ project }: { project: OpenProject }) {
  const shown = section.value;
  const { outline } = project.analysis.value;
  const [asYaml, setAsYaml] = useState(false);
  const [isCopying, setCopying] = useState(false);
  useEffect(() => setAsYaml(false), [shown]);
  if (shown.kind === "stream" || shown.kind === "template") {
    const isStream = shown.kind === "stream";
    const root = isStream ? "streams" : "dynamic_streams";
    const found = isStream
      ? outline.streams.find((one) => one.index === shown.index)
      : outline.dynamic_streams.find((one) => one.index === shown.index);
    if (!found) return null;
    const item = shownItem(project.document.value, [root, shown.index]);
    const duplicate = async () => {
      const label = `Duplicate ${found.name}`;
      let index = shown.index;
      const edits = (document: Json): Edit[] => {
        const place = placeOf(document, item);
        if (!place) return [];
        const stream = walk(document, [root, place.index]).value;
        if (!isObject(stream)) return [];
        index = place.index + 1;
        return [{ op: "insert", path: [root], index, value: { ...stream, name: `${found.name} copy` } }];
      };
      if (await project.edit(edits, label)) section.value = { kind: shown.kind, index };
    };
    const remove = async () => {
      const edits = (document: Json): Edit[] => {
        const place = placeOf(document, item);
        if (!place) return [];
        if (isStream) return removeStreamEdits(document, place.index);
        return [{ op: "remove", path: place.items.length === 1 ? [root] : [root, place.index] }];
      };
      if (!(await project.edit(edits, `Delete ${found.name}`))) return;
      section.value = { kind: "api" };
      toast("info", `“${found.name}” was deleted.`, { label: "Undo", run: () => void project.undo() });
    };
    return (
      <>
        <header class="form-head">
          <h1 class="clip grow">{found.name || (isStream ? "Stream" : "Template")}</h1>
          <Button small kind="quiet" icon="code" aria-pressed={asYaml} onClick={() => setAsYaml(!asYaml)}>
            {asYaml ? "Form" : "YAML"}
          </Button>
          {!project.isReadOnly.value && (
            <Menu
              label={`More for ${found.name}`}
              items={[
                isStream && outline.streams.length > 1
                  ? { title: "Copy settings from another stream", icon: "copy", run: () => setCopying(true) }
                  : undefined,
                { title: "Duplicate", icon: "copy", run: () => void duplicate() },
                {
                  title: isStream ? "Delete stream" : "Delete template",
                  icon: "trash",
                  danger: true,
                  run: () => void remove(),
                },
              ]}
            />
          )}
        </header>
        {asYaml && (
          <div class="section plain">
            <YamlInPlace path={[root, shown.index]} label={found.name} onClose={() => setAsYaml(false)} />
          </div>
        )}
        {isCopying && isStream && (
          <CopyDialog project={project} index={shown.index} onClose={() => setCopying(false)} />
        )}
      </>
    );
  }
  const titles = {
    api: "API settings",
    inputs: "User inputs",
    advanced: "Advanced",
    generated: shown.kind === "generated" ? shown.name : "",
  };
  return (
    <header class="form-head">
      <h1>{titles[shown.kind]}</h1>
    </header>
  );
}

function CopyDialog({ project, index, onClose }: { project: OpenProject; index: number; onClose: () => void }) {
  const streams = project.analysis.value.outline.streams.filter((stream) => stream.index !== index);
  const [from, setFrom] = useState(streams[0]?.index ?? 0);
  const [parts, setParts] = useState<string[]>(["paginator"]);
  const copy = async () => {
    const shown = project.document.value;
    const [source, target] = [shownItem(shown, ["streams", from]), shownItem(shown, ["streams", index])];
    let isEmpty = false;
    const edits = (document: Json): Edit[] => {
      const [at, to] = [placeOf(document, source), placeOf(document, target)];
      if (!at || !to) return [];
      const copied = PARTS.filter((one) => parts.includes(one.key)).flatMap((part): Edit[] => {
        const node = (stream: number, key: string[] = []) =>
          walk(document, ["streams", stream, ...part.path, ...key]);
        const root = node(to.index).at;
        const keys = part.key === "request" ? REQUEST_KEYS.map((key) => [key]) : [[]];
        return keys.flatMap((key): Edit[] => {
          const { value, inherited } = node(at.index, key);
          const isOwn = value !== undefined && !(key.length && inherited);
          return isOwn ? [{ op: "set", path: [...root, ...key], value }] : [];
        });
      });
      isEmpty = !copied.length;
      return copied;
    };
    if (!(await project.edit(edits, "Copy settings from another stream"))) return;
    if (isEmpty) toast("info", "The other stream has none of these settings.");
    onClose();
  };
  return (
    <Dialog
      title="Copy settings from another stream"
      onClose={onClose}
      onSubmit={() => void copy()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={!parts.length}>
            Copy
          </Button>
        </>
      }
    >
      <Labelled label="Stream">
        {(id) => (
          <select
            id={id}
            class="input"
            value={String(from)}
            onChange={(event) => setFrom(Number(event.currentTarget.value))}
          >
            {streams.map((stream) => (
              <option key={stream.index} value={String(stream.index)}>
                {stream.name}
              </option>
            ))}
          </select>
        )}
      </Labelled>
      <fieldset class="stack tight">
        <legend class="label">Settings</legend>
        {PARTS.map((part) => (
          <label key={part.key} class="row">
            <input
              type="checkbox"
              checked={parts.includes(part.key)}
              onChange={(event) =>
                setParts(event.currentTarget.checked ? [...parts, part.key] : parts.filter((one) => one !== part.key))
              }
            />
            {part.title}
          </label>
        ))}
      </fieldset>
    </Dialog>
  );
}

/** Asks for what a stream needs to begin: its name and its path. */
export function NewStreamDialog({ project, onClose }: { project: OpenProject; onClose: () => void }) {
  const [name, setName] = useState("");
  const [path, setPath] = useState("");
  const { streams } = project.analysis.value.outline;
  const [isBusy, setBusy] = useState(false);
  // While it is being added, the name is taken by the stream itself.
  const isTaken = !isBusy && streams.some((stream) => stream.name === name.trim());
  const create = async () => {
    if (isBusy || isTaken) return;
    setBusy(true);
    const edits = (document: Json) => addStreamEdits(document, newStream(document, name.trim(), path.trim()));
    const isAdded = await project.edit(edits, `Add stream ${name.trim()}`);
    setBusy(false);
    if (!isAdded) return;
    const index = project.analysis.value.outline.streams.find((one) => one.name === name.trim())?.index;
    if (index !== undefined) section.value = { kind: "stream", index };
    onClose();
  };
  return (
    <Dialog
      title="New stream"
      onClose={onClose}
      onSubmit={() => void create()}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={isBusy} disabled={!name.trim() || isTaken}>
            Create
          </Button>
        </>
      }
    >
      <TextField
        label="Name"
        autofocus
        needed
        fault={isTaken ? "Another stream has this name." : null}
        value={name}
        placeholder="Customers"
        onInput={setName}
      />
      <TextField
        label="URL path"
        help="What follows the base URL."
        code
        value={path}
        placeholder="/v1/customers"
        onInput={setPath}
      />
    </Dialog>
  );
}
