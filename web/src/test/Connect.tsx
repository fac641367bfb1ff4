import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api/calls";
import { messageOf } from "../api/client";
import type { OpenProject } from "../state/project";
import { toast } from "../state/toasts";
import { Button, Notice } from "../ui/basics";
import { Sentence } from "../ui/Words";
import { consentEnd } from "./consentEnd";
import { testing } from "./store";

const WINDOW = "popup,width=640,height=780";

type Consent = { kind: "none" } | { kind: "waiting"; url: string } | { kind: "failed"; message: string };

/** Sends the user to the provider, and waits for what comes of it: tokens among the testing values. */
export function Connect({
  project,
  readOnly = false,
  before,
  onDone,
}: {
  project: OpenProject;
  /** Whether no consent can begin now; one that is waited for goes on. */
  readOnly?: boolean;
  /** What has to be done first, e.g. to save the values that the consent needs. */
  before?: () => Promise<boolean>;
  /** Gets the paths of the values that were filled. */
  onDone?: (kept: string[]) => void;
}) {
  const [consent, setConsent] = useState<Consent>({ kind: "none" });
  /** The consent that is waited for; another value ends the waiting. */
  const waited = useRef<string | null>(null);
  useEffect(
    () => () => {
      waited.current = null;
    },
    [],
  );
  const wait = async (id: string) => {
    // The values are a part of the answer: without what was filled among them, saving would take it away.
    const ask = async () => {
      const found = await api.consentStatus(id);
      if (found.status === "done") await testing(project).loadValues();
      return found;
    };
    const found = await consentEnd(ask, () => waited.current === id);
    if (!found) return;
    waited.current = null;
    if (found.status === "failed") return setConsent({ kind: "failed", message: found.message });
    setConsent({ kind: "none" });
    toast("success", `Connected: ${found.kept.join(", ")} ${found.kept.length === 1 ? "is" : "are"} filled.`);
    onDone?.(found.kept);
  };
  const connect = async () => {
    // Only what a click opens at once is not taken for an advertisement.
    const opened = open("", "_blank", WINDOW);
    try {
      if (before && !(await before())) {
        opened?.close();
        return;
      }
      await project.settled();
      const { consent: id, url } = await project.api.consent(project.id, project.text.value);
      if (opened) {
        opened.opener = null;
        opened.location.href = url;
      }
      waited.current = id;
      setConsent({ kind: "waiting", url });
      await wait(id);
    } catch (error) {
      opened?.close();
      waited.current = null;
      setConsent({ kind: "failed", message: messageOf(error) });
    }
  };
  const cancel = () => {
    waited.current = null;
    setConsent({ kind: "none" });
  };
  return (
    <div class="stack tight">
      {consent.kind === "failed" && (
        <Notice kind="error">
          <Sentence text={consent.message} />
        </Notice>
      )}
      {consent.kind === "waiting" ? (
        <div class="notice accent" role="status">
          <span class="spinner" />
          <span class="grow">
            Waiting for you to agree in the other window.{" "}
            <a href={consent.url} target="_blank" rel="noopener noreferrer">
              Open it again
            </a>
          </span>
          <Button small onClick={cancel}>
            Cancel
          </Button>
        </div>
      ) : (
        !readOnly && (
          <div>
            <Button icon="plug" onClick={() => void connect()}>
              Connect
            </Button>
          </div>
        )
      )}
    </div>
  );
}
