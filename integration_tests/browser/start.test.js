// Beginning and coming back: files, forks, names, keys, and what a reload keeps.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as it } from "node:test";
import { choose, fill, openPart, publish, section, test } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { openPage, shoot } from "./world.js";

const world = setting(() => ({ body: [{ id: 1 }] }));
const path = (page) => section(page, "Request").getByLabel("URL path", { exact: true });
const named = (page, name) =>
  page.waitForFunction(
    (wanted) => document.querySelector("[aria-label='Name of the connector']")?.value === wanted,
    name,
  );

it("a file is imported to the letter, and given another name", async () => {
  const file = join(tmpdir(), "rates-of-the-day.yaml");
  const text = `# By hand.\n${connector(world.api.url)}`;
  writeFileSync(file, text);
  const page = await openPage(world.browser);
  await page.goto(world.builder.url);
  await page
    .getByText(/Import a YAML|Import YAML/)
    .first()
    .click();
  await page.getByLabel("File", { exact: true }).setInputFiles(file);
  const dialog = page.getByRole("dialog");
  const name = dialog.getByLabel("Name", { exact: true });
  await page.waitForFunction((input) => input.value === "rates-of-the-day", await name.elementHandle());
  await shoot(page, "start-1-import");
  await dialog.getByRole("button", { name: "Import", exact: true }).click();
  await named(page, "rates-of-the-day");
  await hasText(page, [/^# By hand\.\nversion: 7\.0\.0\n/]);
  await fill(page.getByLabel("Name of the connector"), "Rates");
  await page.waitForFunction(() => document.title.startsWith("Rates ·"));
  await page.reload();
  await named(page, "Rates");
  await world.cleared(page);
});

it("a version is forked into a connector of its own", async () => {
  const page = await world.opened("Original", connector(world.api.url), "items");
  await publish(page, "First");
  await fill(path(page), "/second");
  await hasText(page, [/path: \/second/]);
  await choose(page, /Versions/);
  await page.getByRole("dialog").getByRole("button", { name: "Fork", exact: true }).click();
  await named(page, "Original (fork of version 1)");
  await hasText(page, [/path: \/items/]);
  await page.goto(world.builder.url);
  await page.getByText("forked from Original").waitFor();
  await world.cleared(page);
});

it("a reload keeps the part, the view, and how streams stood after their tests", async () => {
  const page = await world.opened("Reload", connector(world.api.url), "items");
  await test(page);
  const parts = page.getByRole("navigation", { name: "Parts of the connector" });
  await parts.getByTitle("Tested", { exact: true }).waitFor();
  await page.keyboard.press("Control+Shift+E");
  await page.getByLabel("Manifest as YAML").waitFor();
  await page.reload();
  await page.getByLabel("Manifest as YAML").waitFor();
  await parts.getByTitle("Tested", { exact: true }).waitFor();
  await page.locator(".test-pane").click({ position: { x: 5, y: 300 } });
  await page.keyboard.press("Control+Shift+E");
  await page.getByRole("heading", { name: "items", exact: true }).waitFor();
  await fill(path(page), "/other");
  await parts.getByTitle("Changed since its last test", { exact: true }).waitFor();
  await page.keyboard.press("Control+Enter");
  await parts.getByTitle("Tested", { exact: true }).waitFor();
  await page.locator(".form-head").click();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Hot keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+z");
  await hasText(page, [/path: \/items/]);
  await parts.getByTitle("Changed since its last test", { exact: true }).waitFor();
  await world.cleared(page);
});

it("what stands empty says what to do", async () => {
  const page = await openPage(world.browser);
  await page.goto(`${world.builder.url}/empty/connector-builder`);
  await page.getByText("Build your first connector").waitFor();
  await page.goto(`${world.builder.url}/empty/connectors`);
  await page.getByText("Nothing is published yet").waitFor();
  await page.goto(`${world.builder.url}/empty/connector-builder/none`);
  await page.getByText("The connector cannot be opened").waitFor();
  await shoot(page, "start-2-none");
  await page.getByRole("link", { name: "Back to the list" }).click();
  await page.getByText("Build your first connector").waitFor();
  await world.cleared(page);
});
