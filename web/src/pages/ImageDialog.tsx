import { useState } from "preact/hooks";
import { messageOf } from "../api/client";
import { slugOf } from "../document/words";
import type { OpenProject } from "../state/project";
import { Button, Dialog, Labelled, Notice } from "../ui/basics";

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Builds an image that runs the connector anywhere; no Docker is needed. */
export function ImageDialog({ project, onClose }: { project: OpenProject; onClose: () => void }) {
  const info = project.info.value;
  const [version, setVersion] = useState<number | "draft">(info?.active_version ?? "draft");
  const [tag, setTag] = useState(
    `source-${slugOf(info?.name ?? "connector").replaceAll("_", "-")}:${version === "draft" ? "dev" : `0.0.${version}`}`,
  );
  const [messages, setMessages] = useState<string[]>([]);
  const [done, setDone] = useState<{ download: string; size: number } | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const build = async () => {
    setBusy(true);
    setFault(null);
    setDone(null);
    setMessages([]);
    try {
      await project.saver.flush();
      for await (const event of project.api.image(project.id, version, tag.trim())) {
        if (event.event === "progress") setMessages((before) => [...before, event.message]);
        else if (event.event === "done") setDone(event);
        else setFault(event.message);
      }
    } catch (error) {
      setFault(messageOf(error));
    }
    setBusy(false);
  };
  return (
    <Dialog
      title="Build image"
      onClose={onClose}
      onSubmit={() => void build()}
      foot={
        <>
          <Button onClick={onClose}>Close</Button>
          {done ? (
            <a class="button primary" href={done.download} download="">
              Download ({megabytes(done.size)})
            </a>
          ) : (
            <Button kind="primary" type="submit" busy={isBusy} disabled={!tag.trim()}>
              Build
            </Button>
          )}
        </>
      }
    >
      <p class="help">
        An OCI image of the connector, as a platform runs it. Load the archive with <code>docker load</code> or{" "}
        <code>podman load</code>.
      </p>
      <div class="two">
        <Labelled label="Version">
          {(id) => (
            <select
              id={id}
              class="input"
              value={String(version)}
              onChange={(event) =>
                setVersion(event.currentTarget.value === "draft" ? "draft" : Number(event.currentTarget.value))
              }
            >
              <option value="draft">Draft</option>
              {info?.versions.map((one) => (
                <option key={one.version} value={String(one.version)}>
                  Version {one.version}
                </option>
              ))}
            </select>
          )}
        </Labelled>
        <Labelled label="Name and tag" needed>
          {(id) => (
            <input id={id} class="input code" value={tag} onInput={(event) => setTag(event.currentTarget.value)} />
          )}
        </Labelled>
      </div>
      {messages.length > 0 && (
        <ul class="progress" aria-live="polite">
          {messages.map((message, index) => (
            <li key={index} class="row">
              {index === messages.length - 1 && isBusy ? <span class="spinner" /> : <span>✓</span>}
              {message}
            </li>
          ))}
        </ul>
      )}
      {fault && <Notice kind="error">{fault}</Notice>}
    </Dialog>
  );
}
