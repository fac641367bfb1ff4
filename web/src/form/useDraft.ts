import { useEffect, useRef, useState } from "preact/hooks";
import type { Take } from "../ui/useChosen";

const PAUSE_MS = 350;

/**
 * The text of an input while it is typed in; it is told soon after, and when the input is left.
 * It is shown until what `tell` promised is settled; then `value` counts again.
 */
export function useDraft(value: string, tell: Take<string>) {
  const [draft, setDraft] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef<{ draft: string | null; tell: Take<string> }>({ draft: null, tell });
  latest.current.tell = tell;
  const done = useRef<Promise<unknown> | void>(undefined);
  const commit = () => {
    clearTimeout(timer.current);
    const text = latest.current.draft;
    if (text !== null && text !== told.current) {
      told.current = text;
      done.current = latest.current.tell(text);
    }
  };
  const told = useRef(value);
  if (latest.current.draft === null) told.current = value;
  // The last thing typed is not lost when the form moves on to something else.
  useEffect(() => () => commit(), []);
  return {
    text: draft ?? value,
    type: (text: string) => {
      latest.current.draft = text;
      setDraft(text);
      clearTimeout(timer.current);
      timer.current = setTimeout(commit, PAUSE_MS);
    },
    leave: async () => {
      commit();
      const left = latest.current.draft;
      await done.current;
      // What was typed meanwhile stays.
      if (latest.current.draft !== left) return;
      latest.current.draft = null;
      setDraft(null);
    },
    commit,
  };
}
