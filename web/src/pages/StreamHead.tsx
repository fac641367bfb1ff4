import { useEffect, useState } from "preact/hooks";
import type { Edit, JsonObject } from "../api/types";
import { addStreamEdits, newStream, removeStreamEdits } from "../document/skeleton";
import { isObject } from "../document/walk";
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
    const duplicate = async () => {
      const stream = project.node([root, shown.index]).value;
      if (!isObject(stream)) return;
      const copy: JsonObject = { ...stream, name: `${found.name} copy` };
      if (
        await project.edit(
          [{ op: "insert", path: [root], index: shown.index + 1, value: copy }],
          `Duplicate ${found.name}`,
        )
      )
        section.value = { kind: shown.kind, index: shown.index + 1 };
    };
    const remove = async () => {
      const { document } = project;
      const isLast = !isStream && outline.dynamic_streams.length === 1;
      const edits: Edit[] = isStream
        ? removeStreamEdits(document.value, shown.index)
        : [{ op: "remove", path: isLast ? [root] : [root, shown.index] }];
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
    const edits: Edit[] = [];
    for (const part of PARTS.filter((one) => parts.includes(one.key))) {
      const source = project.node(["streams", from, ...part.path]);
      const to = project.node(["streams", index, ...part.path]).at;
      if (part.key === "request") {
        for (const key of ["request_parameters", "request_headers", "request_body"]) {
          const value = project.node(["streams", from, ...part.path, key]);
          if (value.value !== undefined && !value.inherited)
            edits.push({ op: "set", path: [...to, key], value: value.value });
        }
      } else if (source.value !== undefined) edits.push({ op: "set", path: to, value: source.value });
    }
    if (!edits.length) toast("info", "The other stream has none of these settings.");
    else if (!(await project.edit(edits, "Copy settings from another stream"))) return;
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
    const document = project.document.value;
    const edits = addStreamEdits(document, newStream(document, name.trim(), path.trim()));
    const isAdded = await project.edit(edits, `Add stream ${name.trim()}`);
    setBusy(false);
    if (!isAdded) return;
    section.value = { kind: "stream", index: streams.length };
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
