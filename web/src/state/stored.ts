import { effect, type Signal, signal } from "@preact/signals";

/** Reads what this browser keeps; a browser that keeps nothing is no fault. */
export function stored<T>(key: string, fallback: T): T {
  try {
    const text = localStorage.getItem(key);
    return text === null ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

export function store(key: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Full or forbidden: the page works without.
  }
}

/** A signal that outlives the page. */
export function storedSignal<T>(key: string, fallback: T): Signal<T> {
  const kept = signal(stored(key, fallback));
  effect(() => store(key, kept.value));
  return kept;
}
