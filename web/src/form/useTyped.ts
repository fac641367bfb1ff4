import { useRef, useState } from "preact/hooks";

/** The text of a small editor: what comes from `outside`, until something else is typed. */
export function useTyped(outside: string) {
  const [typed, setTyped] = useState<string | null>(null);
  const latest = useRef(typed);
  const change = (text: string | null) => {
    latest.current = text;
    setTyped(text);
  };
  return {
    text: typed ?? outside,
    isChanged: typed !== null,
    type: (text: string) => change(text === outside ? null : text),
    discard: () => change(null),
    /** Shows what comes from outside again, once `text` is there; not if more was typed meanwhile. */
    applied: (text: string): boolean => {
      const isLatest = latest.current === null || latest.current === text;
      if (isLatest) change(null);
      return isLatest;
    },
  };
}
