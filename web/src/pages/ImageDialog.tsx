import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api/calls";
import { ApiError, messageOf } from "../api/client";
import type { BuiltImage, Finding } from "../api/types";
import { placed } from "../document/findings";
import { imageNameOf } from "../document/words";
import { notSaved, type OpenProject } from "../state/project";
import { jumpTo } from "../state/view";
import { Button, Dialog, Labelled, Notice, Switch } from "../ui/basics";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { TextField } from "../ui/TextField";
import { Sentence, Words } from "../ui/Words";
import { FindingList } from "./FindingList";

type Version = number | "draft";
/** What stands in the way of an image: of its name, or of anything else. */
type Fault = { of: "tag" | "image"; message: string; findings: Finding[] };

function faultOf(error: unknown): Fault {
  const known = error instanceof ApiError ? error : null;
  const { findings = [] } = (known?.body ?? {}) as { findings?: Finding[] };
  return { of: known?.code === "tag" ? "tag" : "image", message: messageOf(error), findings };
}

/** Builds an image that runs the connector anywhere; no Docker is needed. */
export function ImageDialog({ project, onClose }: { project: OpenProject; onClose: () => void }) {
  const info = project.info.value;
  const [version, setVersion] = useState<Version>(info?.active_version ?? "draft");
  const [ownTag, setOwnTag] = useState<string | null>(null);
  const [mayPush, setMayPush] = useState(false);
  const [pushes, setPushes] = useState(false);
  const [messages, setMessages] = useState<string[]>([]);
  const [done, setDone] = useState<BuiltImage | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);
  const build = useRef<AbortController | null>(null);
  const tag = ownTag ?? imageNameOf(info?.name ?? "", version);
  useEffect(() => {
    api.session().then(
      (session) => setMayPush(session.user_trusted),
      () => undefined,
    );
    return () => build.current?.abort();
  }, []);
  const forget = () => {
    setMessages([]);
    setDone(null);
    setFault(null);
  };
  const start = async () => {
    const stop = new AbortController();
    build.current = stop;
    setBusy(true);
    forget();
    try {
      if (version === "draft" && !(await project.save())) throw new Error(notSaved("no image was built"));
      const order = { version, tag: tag.trim(), push: pushes };
      for await (const event of project.api.image(project.id, order, stop.signal)) {
        if (event.event === "progress") setMessages((before) => [...before, event.message]);
        else if (event.event === "done") setDone(event);
        else setFault({ of: "image", message: event.message, findings: [] });
      }
    } catch (error) {
      if (stop.signal.aborted) setMessages([]);
      else setFault(faultOf(error));
    }
    setBusy(false);
  };
  const jump = (finding: Finding) => {
    onClose();
    jumpTo(finding.path);
  };
  const findings = fault?.findings.map(placed).filter(({ level }) => level === "error") ?? [];
  return (
    <Dialog
      title="Build image"
      onClose={onClose}
      onSubmit={() => void start()}
      foot={
        <>
          <Button onClick={() => (isBusy ? build.current?.abort() : onClose())}>{isBusy ? "Cancel" : "Close"}</Button>
          {done ? (
            <Download image={done} />
          ) : (
            <Button kind="primary" type="submit" busy={isBusy} disabled={!tag.trim()}>
              Build
            </Button>
          )}
        </>
      }
    >
      <p class="help">The connector as a platform runs it; no Docker is needed to build it.</p>
      <Labelled label="Version">
        {(id) => (
          <select
            id={id}
            class="input"
            autofocus
            disabled={isBusy}
            value={String(version)}
            onChange={({ currentTarget: { value } }) => {
              setVersion(value === "draft" ? "draft" : Number(value));
              forget();
            }}
          >
            <option value="draft">Draft</option>
            {info?.versions.map((one) => (
              <option key={one.version} value={String(one.version)}>
                Version {one.version}
                {one.version === info.active_version ? " (active)" : ""}
              </option>
            ))}
          </select>
        )}
      </Labelled>
      <TextField
        label="Name and tag"
        needed
        code
        help="Use a new tag for each image: Airbyte does not pull one again that it has."
        fault={fault?.of === "tag" ? fault.message : null}
        readOnly={isBusy}
        value={tag}
        onInput={(value) => {
          setOwnTag(value);
          forget();
        }}
      />
      {mayPush && (
        <label class="flag">
          <Switch
            label="Push to the registry"
            checked={pushes}
            disabled={isBusy}
            onChange={(next) => {
              setPushes(next);
              forget();
            }}
          />
          <span>
            Push to the registry<span class="help"> with the login that Docker has on the server</span>
          </span>
        </label>
      )}
      {messages.length > 0 && (
        <ul class="progress" aria-label="Progress" aria-live="polite">
          {messages.map((message, index) => (
            <li key={index} class="row">
              <State of={index < messages.length - 1 || done ? "done" : isBusy ? "going" : "failed"} />
              {message}
            </li>
          ))}
        </ul>
      )}
      {fault?.of === "image" && (
        <Notice kind="error">
          <Sentence text={fault.message} />
        </Notice>
      )}
      {findings.length > 0 && <FindingList findings={findings} onChoose={jump} />}
      {done && <Built image={done} />}
    </Dialog>
  );
}

function State({ of }: { of: "done" | "going" | "failed" }) {
  if (of === "going") return <span class="spinner" />;
  return <Icon name={of === "done" ? "check" : "close"} size={13} />;
}

/** Takes the focus when it appears: it is what one waited for. */
function Download({ image }: { image: BuiltImage }) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => link.current?.focus(), []);
  return (
    <a ref={link} class="button primary" href={image.download} download="">
      Download ({(image.size / 1e6).toFixed(1)} MB)
    </a>
  );
}

/** What was made, how it is loaded, and where it goes. */
function Built({ image }: { image: BuiltImage }) {
  const [, name = image.tag, tag = ""] = /^(.*):([^:/]*)$/.exec(image.tag) ?? [];
  return (
    <section class="stack tight" aria-label="The image">
      {image.warnings.map((warning) => (
        <Notice key={warning} kind="warning">
          <Sentence text={warning} />
        </Notice>
      ))}
      <div class="row request-line">
        <code class="grow breakable">{image.digest}</code>
        <span class="muted small">{image.architectures.join(", ")}</span>
        <CopyButton text={image.digest} label="Copy the digest" />
      </div>
      {image.pushed_to ? (
        <p>
          It is in <code>{image.pushed_to}</code> now.
        </p>
      ) : (
        <>
          <p>Load the archive with one of these:</p>
          {image.commands.map((command) => (
            <div key={command} class="row request-line">
              <code class="grow breakable">{command}</code>
              <CopyButton text={command} label={`Copy ${command}`} />
            </div>
          ))}
        </>
      )}
      <p class="help">
        <Words
          text={`In Airbyte: Settings, Sources, New connector, Add a new Docker connector, with the name \`${name}\` and the tag \`${tag}\`. Its cluster pulls the image, so the registry in the name has to have it.`}
        />
      </p>
    </section>
  );
}
