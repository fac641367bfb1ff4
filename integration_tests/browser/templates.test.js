// Stream templates: many streams of one, from what an endpoint lists.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import { fill, openPart, section, test } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { shoot } from "./world.js";

const TABLES = ["users", "orders", "refunds"];

const world = setting((url) => {
  if (url.pathname === "/tables") return { body: { tables: TABLES.map((name) => ({ name })) } };
  const [, table] = /^\/tables\/(\w+)$/.exec(url.pathname) ?? [];
  return TABLES.includes(table) ? { body: [{ id: 1, table }] } : { status: 404, body: { error: "no such table" } };
});

it("a template is built in the form, filled from an endpoint, and its streams are tested", async () => {
  const page = await world.opened("Tables", connector(world.api.url));
  await page.getByRole("button", { name: "Add a stream template", exact: true }).click();
  await page.getByRole("heading", { name: "template_1", exact: true }).waitFor();
  await shoot(page, "templates-1-resolver");
  await fill(page.getByLabel("Name of the template", { exact: true }), "tables");
  await page.getByRole("heading", { name: "tables", exact: true }).waitFor();

  // Where the streams come from.
  await fill(section(page, "Request").getByLabel("URL path", { exact: true }), "/tables");
  const records = section(page, "Records").getByLabel("Where the records are", { exact: true });
  await records.fill("tables");
  await records.press("Enter");
  await test(page);
  await page.getByRole("cell", { name: "refunds", exact: true }).waitFor();

  // What each looks like, and what of it is filled.
  await page.getByRole("button", { name: "Stream template", exact: true }).click();
  await fill(section(page, "Request").getByLabel("URL path", { exact: true }), "/tables/x");
  await page.getByRole("button", { name: "Source of streams", exact: true }).click();
  const mappings = page.locator('[data-path$="components_mapping"]').first();
  await mappings.getByRole("button", { name: "Add", exact: true }).click();
  const mapping = page.locator('[data-path$="components_mapping.1"]');
  const target = mapping.locator('[data-path$="field_path"]').getByRole("textbox");
  for (const step of ["retriever", "requester", "path"]) {
    await target.fill(step);
    await target.press("Enter");
  }
  const value = mapping.locator('[data-path$="value"] [role="combobox"]');
  await value.fill("");
  await value.pressSequentially("/tables/{{ comp");
  await page.getByRole("option", { name: /^components_values/ }).click();
  await value.blur();
  await shoot(page, "templates-2-mappings");
  await hasText(page, [/value: .*\/tables\/\{\{ components_values\['name'\] \}\}/]);

  // Two of the three.
  await page.getByRole("button", { name: /^Generated streams/ }).click();
  await page.getByLabel("At most").fill("2");
  await page.getByRole("button", { name: "Generate streams", exact: true }).click();
  await page.getByRole("button", { name: "Generated streams (2)", exact: true }).waitFor();
  await shoot(page, "templates-3-generated");
  await page.getByRole("region", { name: "Generated streams" }).getByRole("button", { name: "orders" }).click();

  await page.getByText("This stream was made by the template “tables”.").waitFor();
  const definition = page.getByRole("region", { name: "Definition" });
  await definition.getByText("/tables/orders").waitFor();
  assert.equal(await page.locator(".form-pane input:not([disabled]), .form-pane textarea").count(), 0);
  await test(page);
  await page.getByRole("cell", { name: "orders", exact: true }).waitFor();
  assert.equal(await page.getByText(/no primary key/).count(), 1, "what is warned of holds for generated streams too");
  await shoot(page, "templates-4-tested");

  // A change of the template makes them stale.
  await openPart(page, "tables");
  await page.getByRole("button", { name: "Stream template", exact: true }).click();
  await fill(section(page, "Records").getByLabel("Primary key", { exact: true }), "id");
  await page.keyboard.press("Enter");
  await page.getByText("The template was changed since its streams were generated.").waitFor();
  await world.cleared(page);
});

it("a template that cannot be filled says why", async () => {
  const page = await world.opened("Nothing", connector(world.api.url));
  await page.getByRole("button", { name: "Add a stream template", exact: true }).click();
  await fill(section(page, "Request").getByLabel("URL path", { exact: true }), "/nowhere");
  await page.getByRole("button", { name: /^Generated streams/ }).click();
  await page.getByRole("button", { name: "Generate streams", exact: true }).click();
  await page.getByRole("alert").getByText(/404/).waitFor();
  await shoot(page, "templates-5-failed");
  await world.cleared(page);
});
