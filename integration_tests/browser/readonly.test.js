// Two windows, a server that is away, and versions that are looked at: nothing is lost, and it is said plainly.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import { choose, fill, openPart, publish, saved, section } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { accessibilityFaults, openPage, shoot } from "./world.js";

const world = setting(() => ({ body: [{ id: 1 }] }));
const path = (page) => section(page, "Request").getByLabel("URL path", { exact: true });
const shows = (page, text) =>
  page.waitForFunction((wanted) => [...document.querySelectorAll("input")].some(({ value }) => value === wanted), text);

/** Another window on the same connector. */
async function second(page) {
  const other = await openPage(world.browser);
  await other.goto(page.url());
  await openPart(other, "items");
  return other;
}

it("a draft that another window saved makes this one read-only until somebody chooses", async () => {
  const page = await world.opened("Windows", connector(world.api.url), "items");
  const other = await second(page);
  await fill(path(other), "/theirs");
  await hasText(other, [/path: \/theirs/]);

  await fill(path(page), "/mine");
  const bar = page.getByRole("alert").filter({ hasText: "Another window has saved a newer draft." });
  await bar.waitFor();
  assert.ok(await path(page).isDisabled());
  await shoot(page, "readonly-1-conflict");
  assert.deepEqual(await accessibilityFaults(page), []);
  await bar.getByRole("button", { name: "Keep mine as a copy" }).click();
  await page.waitForFunction(() =>
    document.querySelector("[aria-label='Name of the connector']")?.value.endsWith("(my changes)"),
  );
  await openPart(page, "items");
  await shows(page, "/mine");
  assert.ok(!(await path(page).isDisabled()));
  await hasText(other, [/path: \/theirs/]);
  await world.cleared(page);
  await world.cleared(other);
});

it("keeping mine saves it on top of theirs; without changes the newer draft is shown", async () => {
  const page = await world.opened("Mine", connector(world.api.url), "items");
  const other = await second(page);
  await fill(path(other), "/theirs");
  await hasText(other, [/path: \/theirs/]);
  await fill(path(page), "/mine");
  await page.getByRole("button", { name: "Keep mine", exact: true }).click();
  await hasText(page, [/path: \/mine/]);
  await other.evaluate(() => dispatchEvent(new Event("focus")));
  await other.getByText("this is the newer draft").waitFor();
  await shows(other, "/mine");
  await world.cleared(page);
  await world.cleared(other);
});

it("while nobody answers, changes stay in the browser, and leaving is possible anyway", async () => {
  const page = await world.opened("Away", connector(world.api.url), "items");
  const url = page.url();
  await saved(page);
  await page.route("**/draft", (route) => route.abort());
  await fill(path(page), "/precious");
  await page.getByText("Not saved").waitFor();
  await world.builder.crash();
  await page.getByRole("button", { name: "Retry", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "The Builder's server does not answer." }).waitFor();
  assert.ok(await path(page).isDisabled());
  await shoot(page, "readonly-2-away");
  await page.getByRole("link", { name: "Connectors", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Leave without saving?" });
  await shoot(page, "readonly-3-leave");
  await dialog.getByRole("button", { name: "Stay", exact: true }).click();
  await shows(page, "/precious");
  await page.getByRole("link", { name: "Connectors", exact: true }).click();
  await dialog.getByRole("button", { name: "Leave anyway", exact: true }).click();
  await page.getByRole("heading", { name: "Connectors", exact: true }).waitFor();
  await world.builder.restart();
  await page.unroute("**/draft");

  // Somebody else changes it meanwhile: what was kept is offered, until it is decided on.
  const other = await openPage(world.browser);
  await other.goto(url);
  await openPart(other, "items");
  await fill(path(other), "/theirs");
  await hasText(other, [/path: \/theirs/]);
  await page.goto(url);
  const bar = page.getByRole("alert").filter({ hasText: "This browser has changes that were never saved." });
  await bar.waitFor();
  await page.reload();
  await bar.waitFor();
  await shoot(page, "readonly-4-kept");
  await bar.getByRole("button", { name: "Use them", exact: true }).click();
  await openPart(page, "items");
  await shows(page, "/precious");
  await hasText(page, [/path: \/precious/]);
  await bar.waitFor({ state: "detached" });
  await world.cleared(page);
  await world.cleared(other);
});

it("a connector that could not be opened is asked for again", async () => {
  const page = await world.opened("Later", connector(world.api.url), "items");
  const draft = `**/projects/${new URL(page.url()).pathname.split("/").at(-1)}`;
  await saved(page);
  await page.getByRole("link", { name: "Connector Builder", exact: true }).click();
  await page.route(draft, (route) => route.abort());
  await page.getByRole("link", { name: "Later", exact: true }).click();
  await page.getByText("The connector cannot be opened").waitFor();
  await page.unroute(draft);
  await page.getByRole("button", { name: "Try again", exact: true }).click();
  await path(page).waitFor();
  await world.cleared(page);
});

it("a version is read as it was published, and made active", async () => {
  const page = await world.opened("Versions", connector(world.api.url), "items");
  await publish(page, "First");
  await fill(path(page), "/second");
  await hasText(page, [/path: \/second/]);
  await publish(page, "Second");
  await choose(page, /Versions/);
  const dialog = page.getByRole("dialog", { name: "Versions" });
  await dialog.getByRole("button", { name: /Version 1/ }).click();
  await dialog.locator(".diff-line.removed", { hasText: "/items" }).waitFor();
  await dialog.getByRole("group", { name: "What is shown of the version" }).getByRole("button", { name: "YAML" }).click();
  const text = dialog.getByLabel("Version 1 as YAML, read-only");
  await text.getByText("path: /items").first().waitFor();
  await text.click();
  await page.keyboard.type("x");
  assert.ok(!(await text.innerText()).startsWith("x"));
  await shoot(page, "readonly-5-version");
  await dialog.getByRole("button", { name: "Make active", exact: true }).click();
  await dialog.getByRole("button", { name: /Version 1.*active/ }).waitFor();
  await world.cleared(page);
});
