// Streams that an API prepares as a job: made, asked after, downloaded.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import { fill, section } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { shoot } from "./world.js";

/** How often the job was asked after; it is done the third time. */
let asked = 0;

const world = setting((url) => {
  if (url.pathname === "/exports") {
    asked = 0;
    return { body: { id: "job-1" } };
  }
  if (url.pathname === "/exports/job-1") {
    asked += 1;
    return { body: { status: asked < 3 ? "running" : "completed", url: `${world.api.url}/files/1` } };
  }
  if (url.pathname === "/files/1") return { body: [{ id: 7, name: "from the file" }] };
  return { status: 404, body: {} };
});

const phase = (page, name) =>
  page.getByRole("group", { name: "Phase of the job" }).getByRole("button", { name, exact: true }).click();

it("a job is described in three phases, waited for, and its phases are seen", async () => {
  const page = await world.opened("Exports", connector(world.api.url), "items");
  await page.getByLabel("Retrieved", { exact: true }).selectOption({ label: "Asynchronous job" });
  const job = section(page, "Asynchronous job");
  await job.getByText("A test of such a stream can take minutes.").waitFor();
  await shoot(page, "async-1-creation");
  await fill(job.getByLabel("Path", { exact: true }), "/exports");
  await phase(page, "Polling");
  await fill(job.getByLabel("Path", { exact: true }).first(), "/exports/{{ creation_response['id'] }}");
  await shoot(page, "async-2-polling");
  await phase(page, "Download");
  await job.getByLabel("URL", { exact: true }).waitFor();
  await shoot(page, "async-3-download");
  await hasText(page, [/path: \/exports\/\{\{ creation_response\['id'\] \}\}/]);

  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByText(/^Waiting [\d.]+ s: for the API to finish a job/).waitFor();
  await shoot(page, "async-4-wait");
  const skip = page.getByRole("button", { name: "Skip the wait" });
  const records = page.getByRole("tab", { name: /^Records/ });
  while (!(await records.isVisible())) await skip.click({ timeout: 1000 }).catch(() => {});
  await page.getByRole("cell", { name: "from the file", exact: true }).waitFor();
  await page.getByRole("tab", { name: /^Other requests/ }).click();
  await shoot(page, "async-5-phases");
  const others = page.getByRole("tabpanel");
  for (const [words, count] of [
    [/creat/i, 1],
    [/poll|status/i, 3],
  ])
    assert.ok((await others.getByRole("button", { name: words }).count()) >= count, String(words));
  await world.cleared(page);
});

it("a job that is going on can be cancelled", async () => {
  const page = await world.opened("Cancelled", connector(world.api.url), "items");
  await page.getByLabel("Retrieved", { exact: true }).selectOption({ label: "Asynchronous job" });
  await fill(section(page, "Asynchronous job").getByLabel("Path", { exact: true }), "/exports");
  await phase(page, "Polling");
  await fill(
    section(page, "Asynchronous job").getByLabel("Path", { exact: true }).first(),
    "/exports/{{ creation_response['id'] }}",
  );
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByText(/^Waiting [\d.]+ s: for the API to finish a job/).waitFor();
  await page.getByRole("button", { name: "Cancel", exact: true }).click();
  await page.getByText("The test was cancelled").waitFor();
  const sent = world.api.seen.length;
  await page.waitForTimeout(1500);
  assert.equal(world.api.seen.length, sent, "nothing is sent after a test was cancelled");
  await world.cleared(page);
});
