import { expect, it } from "vitest";
import { ApiError } from "../api/client";
import type { ConsentStatus } from "../api/types";
import { consentEnd } from "./consentEnd";

const failure = (status: number) => new ApiError(status, "", "no answer", null, null);
const asking = (answers: (ConsentStatus | Error)[]) => async (): Promise<ConsentStatus> => {
  const answer = answers.shift() ?? new ApiError(400, "", "asked too often", null, null);
  if (answer instanceof Error) throw answer;
  return answer;
};

it("waits for the end of a consent, also while the server is away", async () => {
  const done: ConsentStatus = { status: "done", kept: ["token"] };
  const failures = [failure(0), failure(503), new TypeError("cut off")];
  expect(await consentEnd(asking([{ status: "waiting" }, ...failures, done]), () => true, 0)).toEqual(done);
});

it("fails when the server does not know the consent any more", async () => {
  await expect(consentEnd(asking([failure(404)]), () => true, 0)).rejects.toThrow("no answer");
});

it("gives nothing when nobody waits any more", async () => {
  let isWaited = true;
  const ask = async (): Promise<ConsentStatus> => {
    isWaited = false;
    throw failure(404);
  };
  expect(await consentEnd(ask, () => isWaited, 0)).toBe(null);
});
