/** One door to the server: JSON in, JSON out, errors with a code and a sentence. */

import { noteReach } from "../state/reach";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly help: string | null,
    readonly body: unknown,
  ) {
    super(message);
  }

  /** Whether trying again later may help: nobody answered, or the server had a fault. */
  get isTransient(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

const UNREACHABLE = "The Builder's server does not answer. Is it still running?";

interface ErrorBody {
  error?: { code?: string; message?: string; help?: string };
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  let body: ErrorBody = {};
  try {
    body = JSON.parse(text) as ErrorBody;
  } catch {
    // Not of our server: a proxy between, perhaps. The status says enough.
  }
  const message = body.error?.message ?? `The server answered ${response.status} ${response.statusText}`.trim();
  return new ApiError(response.status, body.error?.code ?? "http", message, body.error?.help ?? null, body);
}

/** The answer itself, for streams and texts. */
export async function send(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const init: RequestInit = { method, signal: signal ?? null };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    noteReach(false);
    throw new ApiError(0, "unreachable", UNREACHABLE, null, null);
  }
  noteReach(true);
  if (!response.ok) throw await errorOf(response);
  return response;
}

export async function call<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, url, body, signal);
  if (response.status === 204) return null as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

/** What to show a person of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof ApiError && error.help) return `${error.message}; ${error.help}`;
  return error instanceof Error ? error.message : String(error);
}
