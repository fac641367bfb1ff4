// Streams as wholes: copied from, duplicated, deleted and brought back; and parts of requests that have a form.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import { addStream, fill, openPart, section, test, turnOn } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { accessibilityFaults, shoot } from "./world.js";

const world = setting((url) =>
  url.pathname === "/children"
    ? { body: [{ id: 10, of: url.searchParams.get("parent") }] }
    : { body: [{ id: 1 }, { id: 2 }] },
);
const parts = (page) => page.getByRole("navigation", { name: "Parts of the connector" });

it("settings are copied between streams; duplicates and deletions can be undone", async () => {
  const page = await world.opened("Streams", connector(world.api.url), "items");
  await turnOn(page, "Pagination");
  await hasText(page, [/DefaultPaginator/]);
  await addStream(page, "second", "/second");
  await page.getByRole("button", { name: "More for second", exact: true }).click();
  await page.getByRole("menuitem", { name: "Copy settings from another stream" }).click();
  const dialog = page.getByRole("dialog", { name: "Copy settings from another stream" });
  await dialog.getByRole("button", { name: "Copy", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await section(page, "Pagination").getByRole("switch", { checked: true }).waitFor({ state: "attached" });
  await hasText(page, [/DefaultPaginator[\s\S]*DefaultPaginator/]);

  await page.getByRole("button", { name: "More for second", exact: true }).click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await page.getByRole("heading", { name: "second copy", exact: true }).waitFor();
  await page.getByRole("button", { name: "More for second copy", exact: true }).click();
  await page.getByRole("menuitem", { name: "Delete stream" }).click();
  await page.getByText("“second copy” was deleted.").waitFor();
  await page.getByRole("status").getByRole("button", { name: "Undo", exact: true }).click();
  await parts(page)
    .getByRole("button", { name: /^second copy/ })
    .waitFor();
  await world.cleared(page);
});

it("a stream is read for each record of its parent", async () => {
  const page = await world.opened("Family", connector(world.api.url), "items");
  await addStream(page, "children", "/children");
  await turnOn(page, "Partitions");
  const partitions = section(page, "Partitions");
  await partitions
    .getByLabel("One partition for each", { exact: true })
    .selectOption({ label: "Records of a parent stream" });
  await partitions.getByLabel("Key in the parent's records", { exact: true }).waitFor();
  await partitions.getByLabel("Value is sent in", { exact: true }).selectOption({ label: "Query parameter" });
  await fill(partitions.getByLabel("Name for “Value is sent in”"), "parent");
  await shoot(page, "streams-1-parent");
  await hasText(page, [/inject_into: request_parameter/, /field_name: .?parent/]);
  await test(page);
  assert.equal(await page.getByLabel("Partition", { exact: true }).locator("option").count(), 2);
  await page.getByLabel("Partition", { exact: true }).selectOption("1");
  await page.getByRole("cell", { name: "2", exact: true }).waitFor();
  await world.cleared(page);
});

it("a GraphQL query is a body of its own, and its brackets are checked", async () => {
  const page = await world.opened("GraphQL", connector(world.api.url), "items");
  const request = section(page, "Request");
  await request.getByLabel("Body", { exact: true }).selectOption({ label: "GraphQL" });
  const query = request.getByLabel("Query", { exact: true });
  await fill(query, "query { items { id }");
  await request.getByText("is not closed").waitFor();
  await shoot(page, "streams-2-graphql");
  await fill(query, "query { items { id } }");
  await request.getByText("is not closed").waitFor({ state: "detached" });
  assert.deepEqual(await accessibilityFaults(page), []);
  await world.cleared(page);
});

it("menus and dialogs are left with the keyboard, and give the focus back", async () => {
  const page = await world.opened("Keyboard", connector(world.api.url), "items");
  const more = page.getByRole("button", { name: "More for items", exact: true });
  await more.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Duplicate" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  await page.getByRole("menuitem", { name: "Duplicate" }).waitFor({ state: "detached" });
  const publish = page.getByRole("button", { name: "Publish", exact: true });
  await publish.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: /^Publish/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: /^Publish/ }).waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Publish");
  await openPart(page, "API settings");
  await world.cleared(page);
});
