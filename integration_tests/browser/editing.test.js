// Writing: what is offered while typing, the order of inputs, and the way to what is wrong.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import { openPart, section } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { shoot } from "./world.js";

const INPUTS = `
      api_key: {type: string, title: API key, airbyte_secret: true, order: 0}
      region: {type: string, title: Region, order: 1}
      shop: {type: string, title: Shop, order: 2}`;
const world = setting(() => ({ body: [{ id: 1 }] }));

const view = (page, name) => page.getByRole("group", { name: "View" }).getByRole("button", { name }).click();

/** The caret behind the first occurrence of `text` in the YAML. */
async function caretBehind(page, text) {
  await page.getByLabel("Manifest as YAML").getByText(text).first().click();
  await page.keyboard.press("End");
}

it("`{{` in a field offers the variables that there are, by keyboard and by mouse", async () => {
  const page = await world.opened("Variables", connector(world.api.url, { properties: INPUTS }), "items");
  const path = section(page, "Request").getByLabel("URL path", { exact: true });
  await path.fill("");
  await path.pressSequentially("/{{ reg");
  const offered = page.getByRole("listbox", { name: "Variables" });
  await offered.getByRole("option", { name: /config\['region'\].*User input: Region/ }).waitFor();
  const chosen = await path.getAttribute("aria-activedescendant");
  assert.equal(await offered.getByRole("option", { selected: true }).getAttribute("id"), chosen);
  assert.equal(await path.getAttribute("aria-expanded"), "true");
  await shoot(page, "editing-1-variables");
  await page.keyboard.press("Enter");
  assert.equal(await path.inputValue(), "/{{ config['region'] }}");
  await page.keyboard.press("End");
  await page.keyboard.type("/{{ sh");
  await offered.getByRole("option", { name: /config\['shop'\]/ }).click();
  assert.equal(await path.inputValue(), "/{{ config['region'] }}/{{ config['shop'] }}");
  await page.keyboard.press("End");
  await page.keyboard.type("{{");
  await offered.waitFor();
  await page.keyboard.press("Escape");
  await offered.waitFor({ state: "detached" });
  await page.keyboard.press("Backspace");
  await page.keyboard.press("Backspace");
  await path.blur();
  await hasText(page, [/path: "?\/\{\{ config\['region'\] \}\}\/\{\{ config\['shop'\] \}\}/]);
  await world.cleared(page);
});

/** Takes what the editor offers first; a moment later, for an offer that has just come it takes no key for. */
const take = async (page) => {
  await page.waitForTimeout(200);
  await page.keyboard.press("Enter");
};

it("the YAML is completed, explained, and shows what is wrong", async () => {
  const page = await world.opened("YAML", connector(world.api.url), "items");
  await view(page, "YAML");
  await caretBehind(page, "primary_key");
  await page.keyboard.press("Enter");
  await page.keyboard.type("incr");
  const keys = page.locator(".cm-tooltip-autocomplete");
  await keys.getByText("incremental_sync", { exact: true }).waitFor();
  await shoot(page, "editing-2-keys");
  await take(page);
  await page.keyboard.type("{type: Dateti");
  await keys.getByText("DatetimeBasedCursor", { exact: true }).waitFor();
  await take(page);
  await page.locator(".cm-lintRange-error").first().waitFor();
  await page.getByLabel("Manifest as YAML").getByText("record_selector").first().hover();
  await page.locator(".explanation").waitFor();
  assert.ok((await page.locator(".explanation").innerText()).length > 10);
  await shoot(page, "editing-3-hover");
  await world.cleared(page);
});

it("what is typed into a small editor stays until it is discarded, and then it is gone", async () => {
  const stream =
    "    schema_loader: {type: InlineSchemaLoader, schema: {type: object, properties: {id: {type: integer}}}}\n";
  const page = await world.opened("Small", connector(world.api.url, { stream }), "items");
  const begins = (label, text) =>
    page.waitForFunction(
      ([name, wanted]) => document.querySelector(`[aria-label="${name}"]`)?.textContent.startsWith(wanted),
      [label, text],
    );
  const typeInto = async (label, text) => {
    await page.getByLabel(label, { exact: true }).click();
    await page.keyboard.press("Control+Home");
    await page.keyboard.type(text);
    await begins(label, text);
  };
  const schema = section(page, "Schema");
  await schema.getByRole("button", { name: /^Schema/ }).click();
  await begins("Schema as JSON", "{");
  await typeInto("Schema as JSON", "typed");
  await schema.getByRole("button", { name: "Discard", exact: true }).click();
  await begins("Schema as JSON", "{");
  await schema.getByRole("button", { name: "Discard", exact: true }).waitFor({ state: "detached" });

  await page.locator(".form-head").getByRole("button", { name: "YAML", exact: true }).click();
  await begins("items as YAML", "type");
  await typeInto("items as YAML", "# typed ");
  const path = section(page, "Request").getByLabel("URL path", { exact: true });
  await path.fill("/other");
  await path.blur();
  await hasText(page, [/path: \/other/], [/# typed/]);
  await begins("items as YAML", "# typed ");
  const apply = page.getByRole("button", { name: "Apply", exact: true });
  assert.ok(!(await apply.isDisabled()));
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await page.getByLabel("items as YAML", { exact: true }).waitFor({ state: "detached" });
  await world.cleared(page);
});

it("user inputs are put in order by drag and by keyboard", async () => {
  const page = await world.opened("Order", connector(world.api.url, { properties: INPUTS }), "User inputs");
  const rows = page.locator(".input-row");
  const order = async (...keys) => {
    await page.waitForFunction(
      (wanted) => [...document.querySelectorAll(".input-row code")].map((code) => code.textContent).join() === wanted,
      keys.join(),
    );
  };
  await order("api_key", "region", "shop");
  await rows.nth(2).dragTo(rows.nth(0));
  await order("shop", "api_key", "region");
  await page.getByRole("button", { name: "Move region: arrow keys" }).press("ArrowUp");
  await order("shop", "region", "api_key");
  // The focus goes along, so that it can be moved on.
  await page.keyboard.press("ArrowUp");
  await order("region", "shop", "api_key");
  await shoot(page, "editing-4-inputs");
  await hasText(page, [/region: .*order: 0/, /shop: .*order: 1/, /api_key: .*order: 2/]);
  await page.reload();
  await order("region", "shop", "api_key");
  await world.cleared(page);
});

it("an error leads to its field, in the form and in the YAML", async () => {
  const cursor =
    "    incremental_sync: {type: DatetimeBasedCursor, cursor_field: at, datetime_format: '%Y', step: P1D}\n";
  const page = await world.opened("Errors", connector(world.api.url, { stream: cursor }));
  await openPart(page, "User inputs");
  await page.getByRole("button", { name: /^\d+ errors?$/ }).click();
  await page.getByRole("menuitem", { name: /start_datetime/ }).click();
  await page.getByRole("heading", { name: "items", exact: true }).waitFor();
  const path = await page.evaluate(() => document.activeElement?.closest(".field")?.getAttribute("data-path"));
  assert.equal(path, "streams.0.incremental_sync.start_datetime");
  await shoot(page, "editing-5-error");
  await openPart(page, "User inputs");
  await view(page, "YAML");
  await page.getByRole("button", { name: /^\d+ errors?$/ }).click();
  await page.getByRole("menuitem", { name: /start_datetime/ }).click();
  await page.waitForFunction(() => document.querySelector(".cm-activeLine")?.textContent?.includes("incremental_sync"));
  await world.cleared(page);
});
