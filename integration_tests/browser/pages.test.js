// The main paths through the Builder's pages, and what must never happen there.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import {
  addStream,
  choose,
  createConnector,
  fill,
  giveTestingValues,
  openPart,
  publish,
  saved,
  section,
  test,
  textOf,
  turnOn,
} from "./builder.js";
import { setting } from "./setting.js";
import { accessibilityFaults, openPage, shoot } from "./world.js";

const ATTACK = '<img src=x onerror="globalThis.attacked=true">';
const PAGINATOR = `      paginator:
        type: DefaultPaginator
        pagination_strategy: {type: PageIncrement, page_size: 2, start_from_page: 1}
        page_token_option: {type: RequestOption, inject_into: request_parameter, field_name: page}
`;
const world = setting(answer);

function answer(url) {
  if (url.pathname === "/broken")
    return { status: 500, body: `<html>${ATTACK}</html>`, headers: { "content-type": "text/html" } };
  if (url.pathname === "/none") return { body: [] };
  const page = Number(url.searchParams.get("page") ?? 1);
  return {
    body: Array.from({ length: page < 3 ? 2 : 1 }, (_, index) => ({
      id: page * 10 + index,
      [ATTACK]: ATTACK,
      name: ATTACK,
    })),
  };
}

const manifest = (more = "") => `# Kept by hand: mind the limits.
version: 7.0.0
type: DeclarativeSource

check:
  type: CheckStream
  stream_names: [items] # the quick one

definitions:
  base_requester:
    type: HttpRequester
    url: ${world.api.url}

streams:
  - type: DeclarativeStream
    name: items
    primary_key: [id]
    retriever:
      type: SimpleRetriever
      requester:
        $ref: "#/definitions/base_requester"
        path: /items # all of them
        http_method: GET
      record_selector:
        type: RecordSelector
        extractor:
          type: DpathExtractor
          field_path: []
${more}
spec:
  type: Spec
  connection_specification:
    type: object
    required: []
    properties: {}
    additionalProperties: true
`;

/** Waits until a field shows this text. */
const hasField = (page, text) =>
  page.waitForFunction(
    (wanted) => [...document.querySelectorAll("input")].some((input) => input.value === wanted),
    text,
  );

it("the form changes one line and leaves comments alone; undo and redo, over a reload too", async () => {
  const page = await world.opened("Comments", manifest());
  await openPart(page, "items");
  const path = section(page, "Request").getByLabel("URL path", { exact: true });
  await fill(path, "/other");
  await saved(page);
  assert.equal(await textOf(page), manifest().replace("/items #", "/other #"));
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await hasField(page, "/items");
  await page.reload();
  await openPart(page, "items");
  await page.getByRole("button", { name: "Redo", exact: true }).click();
  await hasField(page, "/other");
  await world.cleared(page);
});

it("form and YAML are two views of one text", async () => {
  const page = await world.opened("Views", manifest());
  await openPart(page, "items");
  await page.getByRole("group", { name: "View" }).getByRole("button", { name: "YAML" }).click();
  const editor = page.getByLabel("Manifest as YAML");
  await editor.getByText("/items").click();
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.type("use_cache: true");
  await page.getByRole("group", { name: "View" }).getByRole("button", { name: "Form" }).click();
  await section(page, "Advanced").getByRole("button", { name: "Advanced" }).click();
  await section(page, "Advanced")
    .getByRole("switch", { name: "Keep responses for the run", checked: true })
    .waitFor({ state: "attached" });
  assert.match(await textOf(page), /use_cache: true\n\s+path: \/items # all of them/);
  await world.cleared(page);
});

it("nothing is lost when the server dies or the page is closed", async () => {
  const page = await world.opened("Crash", manifest());
  await openPart(page, "items");
  const path = section(page, "Request").getByLabel("URL path", { exact: true });
  await saved(page);
  await page.route("**/draft", (route) => route.abort());
  await fill(path, "/precious");
  await page.getByText("Not saved").waitFor();
  await world.builder.crash();
  await world.builder.restart();
  await page.unroute("**/draft");
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  await saved(page);
  assert.match(await textOf(page), /path: \/precious/);
  await world.cleared(page);
});

it("what is wrong is said beside its field, and stands in the way of publishing", async () => {
  const page = await world.opened(
    "Faults",
    manifest("    incremental_sync:\n      type: DatetimeBasedCursor\n      cursor_field: at\n"),
  );
  await page.getByRole("button", { name: "Publish" }).click();
  const dialog = page.getByRole("dialog");
  assert.ok(await dialog.getByRole("button", { name: "Publish", exact: true }).isDisabled());
  await shoot(page, "pages-publish-blocked");
  await dialog.locator(".findings button.error").first().click();
  await page.getByRole("heading", { name: "items", exact: true }).waitFor();
  await section(page, "Incremental sync").locator(".fault.error").first().waitFor();
  await shoot(page, "pages-error-at-field");
  await world.cleared(page);
});

it("a literal that looks like a key becomes a user input", async () => {
  const page = await world.opened(
    "Secret",
    manifest().replace(
      `url: ${world.api.url}`,
      `url: ${world.api.url}\n    authenticator:\n      type: BearerAuthenticator\n      api_token: sk-9f8e7d6c5b4a3f2e1d`,
    ),
  );
  await page.getByRole("button", { name: "Make it a user input" }).click();
  await hasField(page, "{{ config['api_token'] }}");
  const text = await textOf(page);
  assert.ok(!text.includes("sk-9f8e"));
  assert.match(text, /airbyte_secret: true/);

  // The key is a testing value now, and stays one when the others are saved.
  const button = page.getByRole("button", { name: "Testing values", exact: true });
  await button.locator(".badge").waitFor({ state: "detached" });
  for (let times = 0; times < 2; times += 1) {
    await button.click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    assert.equal(await dialog.getByLabel("Token").inputValue(), "********");
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  }
  await world.cleared(page);
});

it("records, names and errors are shown as text, whatever is in them", async () => {
  const page = await world.opened(
    ATTACK,
    manifest()
      .replace("name: items", `name: '${ATTACK}'`)
      .replace("stream_names: [items]", `stream_names: ['${ATTACK}']`),
  );
  await openPart(page, ATTACK.replaceAll(/[=".<>]/g, "."));
  await test(page);
  await page.getByRole("cell", { name: ATTACK }).first().waitFor();
  for (const tab of ["Response", "Schema", "Records"]) await page.getByRole("tab", { name: tab }).click();
  await fill(section(page, "Request").getByLabel("URL path", { exact: true }), "/broken");
  await test(page);
  await page.getByText("500", { exact: true }).first().waitFor();
  await page.getByRole("tab", { name: "Logs" }).click();
  assert.equal(await page.evaluate(() => globalThis.attacked), undefined);
  await world.cleared(page);
});

it("pages are stepped through; a stream without records says so", async () => {
  const page = await world.opened(
    "Pages",
    manifest("").replace("      record_selector:", `${PAGINATOR}      record_selector:`),
  );
  await openPart(page, "items");
  await test(page);
  const pages = page.getByLabel("Page", { exact: true });
  assert.equal(await pages.locator("option").count(), 3);
  await page.getByRole("button", { name: "Next page", exact: true }).click();
  await page.getByRole("cell", { name: "20", exact: true }).waitFor();
  await fill(section(page, "Request").getByLabel("URL path", { exact: true }), "/none");
  await page.getByText("The stream was changed since this test.").waitFor();
  await test(page);
  await page.getByText(/The responses held no records/).waitFor();
  await world.cleared(page);
});

it("a test that has to wait says so, and goes on when asked to", async () => {
  const budget =
    "api_budget:\n  type: HTTPAPIBudget\n  policies:\n    - type: MovingWindowCallRatePolicy\n      rates: [{limit: 1, interval: PT10M}]\n      matchers: []\n";
  const page = await world.opened(
    "Waits",
    `${manifest().replace("      record_selector:", `${PAGINATOR}      record_selector:`)}${budget}`,
  );
  await openPart(page, "items");
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByText(/^Waiting \d+ s: for room in the budget of requests/).waitFor();
  await shoot(page, "pages-wait");
  const skip = page.getByRole("button", { name: "Skip the wait" });
  const records = page.getByRole("tab", { name: /^Records/ });
  // Two pages wait; what is skipped stays on the page for a moment, and may be skipped twice.
  while (!(await records.isVisible())) {
    await skip.click({ timeout: 1000 }).catch(() => {});
  }
  assert.equal(await page.getByLabel("Page", { exact: true }).locator("option").count(), 3);
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page.getByText(/^Waiting/).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("The test was cancelled").waitFor();
  await world.cleared(page);
});

it("versions are compared, brought back and forked", async () => {
  const page = await world.opened("Versions", manifest());
  for (const [path, words] of [
    ["/one", "First"],
    ["/two", "Second"],
  ]) {
    await openPart(page, "items");
    await fill(section(page, "Request").getByLabel("URL path", { exact: true }), path);
    await publish(page, words);
  }
  await choose(page, /Versions/);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: /Version 1/ }).click();
  await dialog.locator(".diff-line.added", { hasText: "/two" }).waitFor();
  await shoot(page, "pages-versions");
  await dialog.getByRole("button", { name: "Load as draft" }).click();
  await dialog.getByRole("button", { name: "Replace the draft" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.match(await textOf(page), /path: \/one/);
  await page.goto(world.builder.url);
  await page.getByRole("button", { name: "More for Versions", exact: true }).click();
  assert.ok(await page.getByRole("menuitem", { name: /cannot be deleted/ }).isDisabled());
  await page.getByRole("menuitem", { name: "Fork" }).click();
  await page.getByLabel("Name of the connector").waitFor();
  await page.goto(world.builder.url);
  await page.getByText(/forked from/).waitFor();
  await shoot(page, "pages-list");
  await page.getByRole("button", { name: "More for Versions (fork)" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("was deleted").waitFor();
  await world.cleared(page);
});

it("everything can be done with the keyboard, and nothing serious is wrong for screen readers", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await openPage(world.browser, { colorScheme });
    const faults = [];
    const look = async (name) => {
      await shoot(page, `axe-${colorScheme}-${name}`);
      faults.push(...(await accessibilityFaults(page)).map((fault) => `${name} (${colorScheme}): ${fault}`));
    };
    await page.goto(world.builder.url);
    await page.getByRole("heading", { name: "Connector Builder" }).waitFor();
    await look("list");
    await createConnector(page, world.builder.url, "Access", world.api.url);
    await page.getByLabel("Authentication", { exact: true }).selectOption({ label: "API key" });
    await page.getByLabel("Name for “Sent in”").waitFor();
    await look("api");
    await addStream(page, "items", "/items");
    for (const name of ["Pagination", "Incremental sync", "Transformations"]) await turnOn(page, name);
    await look("stream");
    await openPart(page, "User inputs");
    await look("inputs");
    await page.getByRole("button", { name: "Add input" }).click();
    await look("input-dialog");
    await page.keyboard.press("Escape");
    await giveTestingValues(page, { "API key": "key", "Start date": "2026-01-01" });
    await openPart(page, "items");
    await section(page, "Incremental sync")
      .getByRole("switch", { name: "Incremental sync", exact: true })
      .uncheck();
    await saved(page);
    await page.keyboard.press("Control+Enter");
    await page.getByRole("tab", { name: /^Records/ }).waitFor();
    for (const tab of ["Request", "Response", "Schema", "Timeline", "Records"]) {
      if (!(await page.getByRole("tab", { name: tab }).count())) continue;
      await page.getByRole("tab", { name: tab }).click();
      await look(`test-${tab}`);
    }
    await page.getByRole("group", { name: "View" }).getByRole("button", { name: "YAML" }).click();
    await page.getByLabel("Manifest as YAML").waitFor();
    await look("yaml");
    await page.getByRole("group", { name: "View" }).getByRole("button", { name: "Form" }).click();
    await page.getByRole("button", { name: "Publish" }).click();
    await look("publish");
    assert.deepEqual(faults, []);
    await world.cleared(page);
  }
});

it("a manifest of more than a megabyte opens at once and takes typing", async () => {
  const stream = (index) => `  - type: DeclarativeStream
    name: stream_${index}
    primary_key: [id]
    retriever:
      type: SimpleRetriever
      requester: {type: HttpRequester, url: "${world.api.url}/items/${index}", http_method: GET}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
    schema_loader:
      type: InlineSchemaLoader
      schema:
        type: object
        properties:
${Array.from({ length: 40 }, (_, field) => `          field_number_${field}: {type: ["null", string]}`).join("\n")}
`;
  const text = manifest(Array.from({ length: 520 }, (_, index) => stream(index)).join(""));
  assert.ok(text.length > 1_200_000);
  const created = await (
    await fetch(`${world.builder.url}/api/workspaces/default/projects`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "Large", text }),
    })
  ).json();
  const page = await openPage(world.browser);
  // A debug build takes its time for the analysis; the page must not wait for it.
  page.setDefaultTimeout(90_000);
  const began = Date.now();
  await page.goto(`${world.builder.url}/default/connector-builder/${created.id}`);
  await page.getByLabel("Name of the connector").waitFor();
  const painted = Date.now() - began;
  await openPart(page, "stream_500");
  await page.getByRole("heading", { name: "stream_500", exact: true }).waitFor();
  await page.getByRole("group", { name: "View" }).getByRole("button", { name: "YAML" }).click();
  const editor = page.getByLabel("Manifest as YAML");
  await editor.click();
  const typed = Date.now();
  const comment = "# forty letters are typed into the text..";
  await page.keyboard.type(comment);
  const perKey = (Date.now() - typed) / comment.length;
  console.log(`# ${text.length} bytes: shown after ${painted} ms, ${perKey.toFixed(1)} ms a key`);
  await editor.getByText(comment).waitFor();
  await world.cleared(page);
});
