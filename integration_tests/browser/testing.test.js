// What a test says beside its records: schemas, states, and what a look at it should not miss.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import { fill, giveTestingValues, section, test } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { shoot } from "./world.js";

const world = setting((url) => {
  switch (url.pathname) {
    case "/none":
      return { body: [] };
    case "/refused":
      return { status: 403, body: { error: "no access" } };
    case "/twice":
      return { body: [{ id: 1 }, { id: 1 }, { name: "without a key" }] };
    case "/days":
      return { body: [{ id: url.searchParams.get("from"), date: url.searchParams.get("from") }] };
    default:
      return { body: [{ id: 1, price: "9.90", at: "2026-01-02T03:04:05Z", tags: ["a"] }] };
  }
});

const tab = (page, name) => page.getByRole("tab", { name }).click();
const schemaOf = (fields) =>
  `    schema_loader:
      type: InlineSchemaLoader
      schema:
        type: object
        properties:
          # Kept by hand.
${Object.entries(fields)
  .map(([name, type]) => `          ${name}: {type: ["null", ${type}]}\n`)
  .join("")}`;

it("the detected schema is merged into the declared one, and other types are warned of", async () => {
  const declared = schemaOf({ id: "integer", price: "number", gone: "string" });
  const page = await world.opened("Schemas", connector(world.api.url, { stream: declared }), "items");
  await test(page);
  await tab(page, /^Schema/);
  await page.getByText("One field has another type than declared.").waitFor();
  const differences = page.locator(".differences li");
  assert.deepEqual(
    (await differences.allInnerTexts()).map((text) => text.split("\n").join(" ")),
    ["price number → string other type", "at string new", "tags array new", "gone string not seen"],
  );
  await shoot(page, "testing-1-schema");
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await page.getByText("The schema was written into the manifest.").waitFor();
  await hasText(page, [/# Kept by hand\./, /gone:/, /\bat:/, /tags:/]);
  await page.getByRole("button", { name: "Differences (1)", exact: true }).waitFor();
  await page.getByRole("button", { name: "Overwrite", exact: true }).click();
  await page.getByText("Declared and detected agree").waitFor();
  await hasText(page, [/tags:/], [/gone:/]);
  await world.cleared(page);
});

it("a schema is imported after each test, where that is asked for", async () => {
  const page = await world.opened("Automatic", connector(world.api.url), "items");
  await test(page);
  await tab(page, /^Schema/);
  await page.getByRole("switch", { name: "Import after each test" }).check();
  await test(page);
  await page.waitForFunction(() =>
    document.querySelector("section[aria-label=Schema]")?.textContent?.includes("4 fields"),
  );
  await hasText(page, [/autoImportSchema/]);
  await world.cleared(page);
});

it("the state of a test is what the next begins with, until it is cleared", async () => {
  const cursor = `    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: date
      datetime_format: "%Y-%m-%d"
      start_datetime: {type: MinMaxDatetime, datetime: "2026-01-01", datetime_format: "%Y-%m-%d"}
      end_datetime: {type: MinMaxDatetime, datetime: "2026-01-04", datetime_format: "%Y-%m-%d"}
      step: P1D
      cursor_granularity: P1D
      start_time_option: {type: RequestOption, inject_into: request_parameter, field_name: from}
`;
  const page = await world.opened("States", connector(world.api.url, { stream: cursor }), "items");
  await fill(section(page, "Request").getByLabel("URL path", { exact: true }), "/days");
  await test(page);
  const partition = page.getByLabel("Partition", { exact: true });
  assert.equal(await partition.locator("option").count(), 3);
  await partition.selectOption("1");
  await tab(page, "State");
  await page.getByRole("button", { name: "Use as input state", exact: true }).click();
  await page.getByText("The next test begins with this state.").waitFor();
  await shoot(page, "testing-2-state");
  await test(page);
  assert.equal(await partition.locator("option").count(), 2);
  await page.getByRole("cell", { name: "2026-01-02", exact: true }).first().waitFor();
  await tab(page, "State");
  await page.getByRole("button", { name: "Clear the input state", exact: true }).click();
  await test(page);
  assert.equal(await partition.locator("option").count(), 3);
  await world.cleared(page);
});

it("each result says what a look at it should not miss", async () => {
  const page = await world.opened("Warnings", connector(world.api.url), "items");
  const warnings = page.getByRole("list", { name: "What to mind" });
  await page.getByText("“items” has not been tested yet").waitFor();
  const path = section(page, "Request").getByLabel("URL path", { exact: true });
  for (const [to, words] of [
    ["/none", "The responses held no records."],
    ["/refused", "The API answered 403."],
    ["/twice", "1 record has the id of another one."],
    ["/twice", "id is not in all records."],
  ]) {
    await fill(path, to);
    await test(page);
    await warnings.getByText(words).first().waitFor();
  }
  await shoot(page, "testing-3-warnings");
  await fill(path, "/items");
  await page.getByText("The stream was changed since this test.").waitFor();
  await test(page);
  assert.equal(await warnings.count(), 0);
  await section(page, "Records").getByRole("button", { name: "Remove id" }).click();
  await page.getByRole("button", { name: "Test again" }).click();
  await warnings.getByText("The stream has no primary key").waitFor();
  await world.cleared(page);
});

it("testing values are kept apart, and a connection is checked with them", async () => {
  const properties = `
      token: {type: string, title: Token, airbyte_secret: true, order: 0}
      region: {type: string, title: Region, enum: [eu, us], default: eu, order: 1}`;
  const page = await world.opened("Values", connector(world.api.url, { properties }), "items");
  await giveTestingValues(page, { Token: "hunter2-hunter2" });
  await page.reload();
  await page.getByRole("button", { name: "Testing values", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  assert.equal(await dialog.getByLabel("Token").inputValue(), "********");
  assert.equal(await dialog.getByLabel("Region").inputValue(), "eu");
  await dialog.getByRole("button", { name: "Save and check" }).click();
  await dialog.getByText("The connection works.").waitFor();
  await shoot(page, "testing-4-values");

  // JSON and form are two views of the same values.
  await dialog.getByRole("button", { name: "JSON", exact: true }).click();
  const config = dialog.getByLabel("Config as JSON");
  const toForm = dialog.getByRole("button", { name: "Form", exact: true });
  await config.fill("[]");
  await toForm.click();
  await dialog.getByText("A config is an object.").waitFor();
  await config.fill('{"token": "********", "region": "us"}');
  await toForm.click();
  await dialog.getByLabel("Region").waitFor();
  assert.equal(await dialog.getByLabel("Region").inputValue(), "us");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  assert.ok(!(await page.content()).includes("hunter2"));
  await world.cleared(page);
});
