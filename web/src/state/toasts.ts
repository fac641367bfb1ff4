import { signal } from "@preact/signals";
import { messageOf } from "../api/client";

export interface Toast {
  id: number;
  kind: "info" | "error" | "success";
  text: string;
  action?: { label: string; run: () => void };
}

export const toasts = signal<Toast[]>([]);
let last = 0;

export function toast(kind: Toast["kind"], text: string, action?: Toast["action"]): void {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value.slice(-3), action ? { id, kind, text, action } : { id, kind, text }];
  setTimeout(() => dismiss(id), kind === "error" ? 9000 : 5000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

/** Runs what may fail, and tells the person when it does. */
export async function tell<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    toast("error", messageOf(error));
    return undefined;
  }
}
