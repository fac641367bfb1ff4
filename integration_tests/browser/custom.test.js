// Components that are Python classes: shown plainly, kept, edited, and not run.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import { fill, openPart, section, test } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { accessibilityFaults, shoot } from "./world.js";

const world = setting(() => ({ body: [{ id: 1 }] }));
const transformation = `    transformations:
      - type: CustomTransformation  # ours
        class_name: source_declarative_manifest.components.Rename
        prefix: "x_"
        nested: {a: [1]}
`;

it("a Python class is said to be one, and its name and fields are edited", async () => {
  const page = await world.opened("Custom", connector(world.api.url, { stream: transformation }), "items");
  const part = section(page, "Transformations");
  await part.getByText("which this program does not run").waitFor();
  await shoot(page, "custom-1-transformation");
  assert.deepEqual(await accessibilityFaults(page), []);
  await fill(part.getByLabel("Class", { exact: true }), "source_declarative_manifest.components.Renamed");
  await fill(part.getByLabel("Value of prefix", { exact: true }), "y_");
  await part.getByRole("button", { name: "Add", exact: true }).first().click();
  await part.getByLabel("Name of the new field").fill("suffix");
  await page.keyboard.press("Enter");
  await fill(part.getByLabel("Value of suffix", { exact: true }), "_z");
  await hasText(page, [/# ours/, /components\.Renamed/, /prefix: .y_/, /suffix: ._z/, /nested: \{a: \[1\]\}/]);

  await page.getByRole("button", { name: "Test", exact: true }).click();
  const pane = page.getByRole("complementary", { name: "Test" });
  await pane.getByText(/no Python runs here|does not run/).first().waitFor();
  await shoot(page, "custom-2-refused");

  await openPart(page, "API settings");
  await page.getByLabel("Authentication", { exact: true }).selectOption({ label: "Custom code" });
  await section(page, "Requests").getByText("which this program does not run").waitFor();
  await world.cleared(page);
});

it("a stream that is retrieved by a class keeps what is its own", async () => {
  const page = await world.opened("Retriever", connector(world.api.url), "items");
  await page.getByLabel("Retrieved", { exact: true }).selectOption({ label: "By custom code" });
  await section(page, "Retrieval").getByText("which this program does not run").waitFor();
  await section(page, "Records").getByLabel("Primary key", { exact: true }).waitFor();
  await shoot(page, "custom-3-retriever");
  await page.getByRole("button", { name: "Undo", exact: true }).last().click();
  await section(page, "Request").getByLabel("URL path", { exact: true }).waitFor();
  await world.cleared(page);
});
