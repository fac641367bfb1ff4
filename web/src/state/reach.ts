import { effect, signal } from "@preact/signals";

/** Whether the server answered when it was asked last. */
export const isReachable = signal(true);

const PAUSE_MS = 3000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Notes whether a request came to an answer; without one, the server is asked until it gives one. */
export function noteReach(answered: boolean): void {
  isReachable.value = answered;
  clearTimeout(timer);
  if (!answered) timer = setTimeout(() => void knock(), PAUSE_MS);
}

/** Resolves once the server answers again. */
export function reached(): Promise<void> {
  return new Promise((done) => {
    const wait = effect(() => {
      if (!isReachable.value) return;
      done();
      queueMicrotask(() => wait());
    });
  });
}

async function knock(): Promise<void> {
  const answer = await fetch("/api/session").catch(() => null);
  noteReach(answer !== null);
}
