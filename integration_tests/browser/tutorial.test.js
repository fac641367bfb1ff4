// Airbyte's own tutorial for its Connector Builder, done from an empty workspace with the mouse and the keyboard.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test as it } from "node:test";
import {
  addStream,
  choose,
  createConnector,
  fill,
  giveTestingValues,
  openPart,
  publish,
  section,
  test,
  textOf,
  turnOn,
} from "./builder.js";
import { setting } from "./setting.js";
import { openPage, shoot } from "./world.js";

const KEY = "tutorial-key-9f8e7d6c";
const world = setting(rates);

/** The rates of a day; without a date, those of today. */
function rates(url, headers) {
  if (headers.apikey !== KEY) return { status: 401, body: { message: "No API key found in request" } };
  const [, date] = /^\/exchangerates_data\/(latest|\d{4}-\d{2}-\d{2})$/.exec(url.pathname) ?? [];
  if (!date) return { status: 404, body: { message: "no such path" } };
  const day = date === "latest" ? new Date().toISOString().slice(0, 10) : date;
  return {
    body: {
      success: true,
      historical: date !== "latest",
      timestamp: Date.parse(day) / 1000,
      base: url.searchParams.get("base") ?? "EUR",
      date: day,
      rates: { EUR: 0.91, GBP: 0.78, JPY: 151.2 },
    },
  };
}

/**
 * The connector as a golden case, where `CASES` says, for `tools/tutorial_against_reference.sh`: the
 * same API, and a day at a time up to that of golden cases.
 */
function keepCase(yaml) {
  if (!process.env.CASES) return;
  const folder = join(process.env.CASES, "tutorial");
  const days = [11, 12, 13, 14, 15].map((day) => `2026-01-${day}`);
  const answer = (day) => {
    const url = new URL(`/exchangerates_data/${day}?base=USD`, world.api.url);
    return [`GET http://api.test${url.pathname}${url.search}`, { json: rates(url, { apikey: KEY }).body }];
  };
  const stream = { name: "Rates", json_schema: {}, supported_sync_modes: ["full_refresh", "incremental"] };
  const catalog = {
    streams: [{ stream, sync_mode: "incremental", destination_sync_mode: "append", cursor_field: ["date"] }],
  };
  const keep = (name, content) =>
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content, null, 2));
  mkdirSync(folder, { recursive: true });
  keep("manifest.yaml", yaml.replaceAll(world.api.url, "http://api.test"));
  keep("config.json", { api_key: KEY, base: "USD", start_date: days[0] });
  keep("catalog.json", catalog);
  // JSON is YAML.
  keep("api.yaml", Object.fromEntries(days.map(answer)));
}

const daysAgo = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

it("the public tutorial, from an empty workspace to a published connector", async () => {
  const page = await openPage(world.browser);
  const began = Date.now();
  await createConnector(page, world.builder.url, "Exchange Rates", world.api.url);
  await shoot(page, "tutorial-1-api");

  // The key goes into the header `apikey`, and is asked of the user.
  await page.getByLabel("Authentication", { exact: true }).selectOption({ label: "API key" });
  await page.getByLabel("Sent in", { exact: true }).selectOption({ label: "Header" });
  await fill(page.getByLabel("Name for “Sent in”"), "apikey");

  await addStream(page, "Rates", "/exchangerates_data/latest");
  await shoot(page, "tutorial-2-stream");
  await giveTestingValues(page, { "API key": KEY });
  await test(page);
  await page.getByRole("cell", { name: "EUR", exact: true }).waitFor();
  await shoot(page, "tutorial-3-record");

  // The user chooses the base currency, which goes along as a query parameter.
  await openPart(page, "User inputs");
  await page.getByRole("button", { name: "Add input" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Base");
  await dialog.getByRole("button", { name: "Add input" }).click();
  await dialog.waitFor({ state: "detached" });
  await openPart(page, "Rates");
  const parameters = section(page, "Request").locator(".field", { hasText: "Query parameters" });
  await parameters.getByRole("button", { name: "Add" }).click();
  await parameters.getByLabel(/Name of the new/).fill("base");
  await page.keyboard.press("Enter");
  await fill(parameters.getByLabel("Value of base"), "{{ config['base'] }}");
  await giveTestingValues(page, { Base: "USD" });
  await test(page);
  await page.getByRole("cell", { name: "USD", exact: true }).waitFor();

  // One request a day, the date in the path.
  await turnOn(page, "Incremental sync");
  const sync = section(page, "Incremental sync");
  await fill(sync.getByLabel("Cursor field", { exact: true }), "date");
  await fill(sync.getByLabel("Step", { exact: true }), "P1D");
  await fill(sync.getByLabel("Granularity", { exact: true }), "P1D");
  await fill(
    section(page, "Request").getByLabel("URL path", { exact: true }),
    "/exchangerates_data/{{ stream_interval['start_time'] or 'latest' }}",
  );
  await giveTestingValues(page, { "Start date": daysAgo(4) });
  await test(page);
  const partition = page.getByLabel("Partition", { exact: true });
  for (let index = 0; index < 5; index += 1) {
    await partition.selectOption(String(index));
    await page.getByRole("cell", { name: daysAgo(4 - index), exact: true }).waitFor();
  }
  assert.equal(await partition.locator("option").count(), 5);
  await shoot(page, "tutorial-4-partitions");

  await page.getByRole("tab", { name: /^Schema/ }).click();
  await page.getByRole("button", { name: "Import schema" }).click();
  await page.getByText("The schema was written into the manifest.").waitFor();
  await shoot(page, "tutorial-5-schema");

  await fill(section(page, "Records").getByLabel("Primary key", { exact: true }), "date");
  await page.keyboard.press("Enter");
  const text = await textOf(page);
  assert.match(text, /# What the requests of all streams have in common\./, "comments stay");
  assert.match(text, /inject_into: header/);
  assert.match(text, /step: P1D/);
  assert.match(text, /timestamp:/, "the schema was imported");
  assert.ok(!text.includes(KEY), "the key is no part of the manifest");

  await publish(page, "First version");
  await page.getByText("Version 1 was published.").waitFor();

  const [download] = await Promise.all([page.waitForEvent("download"), choose(page, "Download YAML")]);
  assert.match(download.suggestedFilename(), /\.yaml$/);
  const downloaded = readFileSync(await download.path(), "utf8");
  assert.equal(downloaded, await textOf(page));
  keepCase(downloaded);

  await page.goto(`${world.builder.url}/default/connectors`);
  await page.getByRole("link", { name: "Exchange Rates" }).waitFor();
  await shoot(page, "tutorial-6-connectors");
  console.log(`# a first connector, from nothing to a published version: ${Date.now() - began} ms`);
  await world.cleared(page);
});
