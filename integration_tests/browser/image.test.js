// A connector as an image: from the dialog to the file.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test as it } from "node:test";
import { choose, publish } from "./builder.js";
import { connector, setting } from "./setting.js";
import { accessibilityFaults, shoot } from "./world.js";

const folder = mkdtempSync(join(tmpdir(), "programs-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The least that counts as a static program: a build for tests is none. */
function program(name) {
  const elf = Buffer.alloc(64 + 56);
  elf.write("\x7fELF\x02\x01", "latin1");
  for (const [at, byte] of [[18, 62], [32, 64], [54, 56], [56, 1]]) elf[at] = byte;
  writeFileSync(join(folder, name), elf);
  return join(folder, name);
}

const world = setting(
  () => ({ body: [{ id: 1 }] }),
  ["--binary", program("program"), "--busybox", program("busybox")],
);

it("a published version becomes an archive, with the keyboard alone", async () => {
  const page = await world.opened("Exchange Rates", connector(world.api.url));
  await publish(page, "First version");
  await choose(page, "Build image");
  const dialog = page.getByRole("dialog", { name: "Build image" });
  const tag = dialog.getByLabel(/^Name and tag/);
  assert.equal(await tag.inputValue(), "airbyte/source-exchange-rates:0.0.1");
  await dialog.locator("select:focus").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.type("Airbyte/Source");
  await page.keyboard.press("Enter");
  const field = dialog.locator(".field", { has: page.getByLabel(/^Name and tag/) });
  await field.getByText(/^Airbyte\/Source cannot name an image/).waitFor();
  await shoot(page, "image-wrong-name");
  await tag.fill("airbyte/source-exchange-rates:0.0.2");
  await page.keyboard.press("Enter");
  const link = dialog.getByRole("link", { name: /^Download/ });
  await link.waitFor();
  assert.equal(await dialog.getByRole("list", { name: "Progress" }).getByRole("listitem").count(), 2);
  await dialog.getByText("docker load -i source-exchange-rates-0.0.2.tar").waitFor();
  await shoot(page, "image-done");
  assert.deepEqual(await accessibilityFaults(page), []);

  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  assert.equal(download.suggestedFilename(), "source-exchange-rates-0.0.2.tar");
  const archive = readFileSync(await download.path(), "latin1");
  const digest = await dialog.getByText(/^sha256:/).textContent();
  assert.ok(archive.includes(`blobs/${digest.replace(":", "/")}`), "the image in it is the one that is shown");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await world.cleared(page);
});

it("a draft with errors is refused, and its errors lead to their places", async () => {
  const stream = "    incremental_sync:\n      type: DatetimeBasedCursor\n      cursor_field: at\n";
  const page = await world.opened("Faulty", connector(world.api.url, { stream }));
  await choose(page, "Build image");
  const dialog = page.getByRole("dialog", { name: "Build image" });
  await dialog.getByRole("button", { name: "Build", exact: true }).click();
  await dialog.getByText("The manifest has errors, so that no image is made of it.").waitFor();
  await shoot(page, "image-refused");
  await dialog.getByRole("button", { name: /datetime_format/ }).first().click();
  await page.getByRole("heading", { name: "items", exact: true }).waitFor();
  await world.cleared(page);
});

it("a build can be cancelled", async () => {
  const page = await world.opened("Exchange Rates", connector(world.api.url));
  await choose(page, "Build image");
  const dialog = page.getByRole("dialog", { name: "Build image" });
  assert.equal(await dialog.getByLabel(/^Name and tag/).inputValue(), "airbyte/source-exchange-rates:dev");
  await page.route("**/image", () => {});
  await dialog.getByRole("button", { name: "Build", exact: true }).click();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.unroute("**/image");
  await dialog.getByRole("button", { name: "Build", exact: true }).click();
  await dialog.getByRole("link", { name: /^Download/ }).waitFor();
  await world.cleared(page);
});
