import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Take } from "../ui/useChosen";
import { Form } from "./context";

const PAUSE_MS = 350;

/**
 * The text of an input while it is typed in; it is told soon after, and when the input is left.
 * It is shown until what `tell` promised is settled; then `value` counts again.
 * A text that was not taken, where that promise gave `false`, stays, and is told again.
 */
export function useDraft(value: string, tell: Take<string>) {
  const project = useContext(Form)?.project;
  const [draft, setDraft] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef<{ draft: string | null; tell: Take<string> }>({ draft: null, tell });
  latest.current.tell = tell;
  const told = useRef<string | null>(value);
  if (latest.current.draft === null) told.current = value;
  const sent = useRef(Promise.resolve(true));
  const letGo = useRef<() => void>(undefined);
  const isGone = useRef(false);
  const release = () => {
    letGo.current?.();
    letGo.current = undefined;
  };
  const send = async (text: string): Promise<boolean> => {
    const isTaken = (await latest.current.tell(text)) !== false;
    // A later text has an outcome of its own.
    if (told.current !== text) return isTaken;
    release();
    if (!isTaken) {
      told.current = null;
      if (!isGone.current) letGo.current = project?.hold(commit);
    }
    return isTaken;
  };
  const commit = (): Promise<boolean> => {
    clearTimeout(timer.current);
    const text = latest.current.draft;
    if (text !== null && text !== told.current) {
      told.current = text;
      sent.current = send(text);
    }
    return sent.current;
  };
  // The last thing typed is not lost when the form moves on to something else.
  useEffect(
    () => () => {
      isGone.current = true;
      release();
      void commit();
    },
    [],
  );
  return {
    text: draft ?? value,
    type: (text: string) => {
      latest.current.draft = text;
      setDraft(text);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => void commit(), PAUSE_MS);
    },
    leave: async () => {
      const left = latest.current.draft;
      const isTaken = await commit();
      // What was typed meanwhile stays, and so does what was not taken.
      if (!isTaken || latest.current.draft !== left) return;
      latest.current.draft = null;
      setDraft(null);
    },
    commit,
  };
}
