import { useState } from "preact/hooks";
import { workspaceApi } from "../api/calls";
import { messageOf } from "../api/client";
import type { ProjectSummary } from "../api/types";
import { go, projectPath } from "../state/router";
import { section } from "../state/view";
import { Button, Dialog, Labelled, Notice } from "../ui/basics";
import { TextField } from "../ui/TextField";

export type CreateKind = "scratch" | "import";

/** Starts a connector: from nothing, or from a manifest. */
export function CreateDialog({
  kind,
  workspace,
  projects,
  onClose,
}: {
  kind: CreateKind;
  workspace: string;
  projects: ProjectSummary[];
  onClose: () => void;
}) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [text, setText] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const isImport = kind === "import";
  const isTaken = projects.some((project) => project.name === name.trim());
  const create = async () => {
    setBusy(true);
    try {
      const made = await workspaceApi(workspace).create({
        name: name.trim() || "New connector",
        ...(isImport ? { text } : { url: url.trim() }),
      });
      section.value = { kind: "api" };
      go(projectPath(workspace, made.id));
    } catch (error) {
      setFault(messageOf(error));
      setBusy(false);
    }
  };
  const take = async (file: File | undefined) => {
    if (!file) return;
    setText(await file.text());
    if (!name) setName(file.name.replace(/\.ya?ml$/, ""));
  };
  return (
    <Dialog
      title={isImport ? "Import a YAML" : "New connector"}
      onClose={onClose}
      onSubmit={() => void create()}
      wide={isImport}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={isBusy} disabled={isImport ? !text.trim() : !name.trim()}>
            {isImport ? "Import" : "Create"}
          </Button>
        </>
      }
    >
      {fault && <Notice kind="error">{fault}</Notice>}
      <TextField
        label="Name"
        autofocus
        needed={!isImport}
        help={isTaken ? "Another connector has this name; that is allowed." : undefined}
        value={name}
        placeholder="Exchange Rates"
        onInput={setName}
      />
      {isImport ? (
        <>
          <Labelled label="File">
            {(id) => (
              <input
                id={id}
                class="file"
                type="file"
                accept=".yaml,.yml,text/yaml"
                onChange={(event) => void take(event.currentTarget.files?.[0])}
              />
            )}
          </Labelled>
          <Labelled label="Or paste it here">
            {(id) => (
              <textarea
                id={id}
                class="input code"
                rows={14}
                value={text}
                placeholder={"version: 7.0.0\ntype: DeclarativeSource"}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            )}
          </Labelled>
        </>
      ) : (
        <TextField
          label="Base URL of the API"
          help="What all addresses of the API begin with. It can be changed later."
          code
          value={url}
          inputMode="url"
          placeholder="https://api.example.com/v1"
          onInput={setUrl}
        />
      )}
    </Dialog>
  );
}
