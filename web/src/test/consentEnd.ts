import { ApiError } from "../api/client";
import type { ConsentStatus } from "../api/types";

const PAUSE_MS = 800;

/**
 * What came of a consent; nothing, once nobody waits for it.
 * A question that fails for now is asked again: the server may be starting anew.
 */
export async function consentEnd(
  ask: () => Promise<ConsentStatus>,
  isWaited: () => boolean,
  pause = PAUSE_MS,
): Promise<Exclude<ConsentStatus, { status: "waiting" }> | null> {
  for (;;) {
    await new Promise((done) => setTimeout(done, pause));
    if (!isWaited()) return null;
    try {
      const found = await ask();
      if (!isWaited()) return null;
      if (found.status !== "waiting") return found;
    } catch (error) {
      if (!isWaited()) return null;
      if (error instanceof ApiError && !error.isTransient) throw error;
    }
  }
}
