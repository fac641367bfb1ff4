import { useState } from "preact/hooks";

/** What takes a choice; where that takes a while, it promises when it is done. */
export type Take<T> = (value: T) => Promise<unknown> | void;

/**
 * A value that shows what its user chose at once, and the way to choose.
 * When what `take` promised is settled, `value` counts again.
 */
export function useChosen<T>(value: T, take: Take<T>): [T, (next: T) => void] {
  const [chosen, setChosen] = useState<{ value: T } | null>(null);
  const choose = async (next: T) => {
    const choice = { value: next };
    setChosen(choice);
    try {
      await take(next);
    } finally {
      // A later choice stands until its own promise is settled.
      setChosen((now) => (now === choice ? null : now));
    }
  };
  return [chosen ? chosen.value : value, (next) => void choose(next)];
}
