// What most tests begin with: an API, the Builder and a browser; and a connector to work on.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { importYaml, openPart, textOf } from "./builder.js";
import { openPage, startApi, startBrowser, startBuilder } from "./world.js";

/** Starts all for the tests of one file; what it gives is filled once they run. */
export function setting(answer, builderArgs) {
  const world = {
    /** A page with the connector open, at one of its parts. */
    opened: async (name, text, part) => {
      const page = await openPage(world.browser);
      await importYaml(page, world.builder.url, name, text);
      if (part) await openPart(page, part);
      return page;
    },
    /** Closes a page in which nothing went wrong. */
    cleared: async (page) => {
      assert.deepEqual(page.faults, []);
      await page.context().close();
    },
  };
  before(async () => {
    world.api = await startApi(answer);
    world.builder = await startBuilder(builderArgs);
    world.browser = await startBrowser();
  });
  after(async () => {
    await world.browser?.close();
    await world.builder?.stop();
    world.api?.stop();
  });
  return world;
}

/** Waits until the manifest on the server has all of these, and none that is negated. */
export async function hasText(page, patterns, without = []) {
  let text;
  for (let tries = 0; tries < 60; tries += 1) {
    text = await textOf(page);
    if (patterns.every((one) => one.test(text)) && !without.some((one) => one.test(text))) return;
    await page.waitForTimeout(100);
  }
  assert.fail(`${patterns.join(" ")} without ${without.join(" ")} in:\n${text}`);
}

/** A connector of one stream, `items`; more YAML can be put into the stream, its retriever, and the end. */
export const connector = (url, { stream = "", retriever = "", properties = "{}", end = "" } = {}) => `version: 7.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [items]}
definitions:
  base_requester: {type: HttpRequester, url: "${url}"}
streams:
  - type: DeclarativeStream
    name: items
    primary_key: [id]
    retriever:
      type: SimpleRetriever
      requester: {$ref: "#/definitions/base_requester", path: /items, http_method: GET}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
${retriever}${stream}spec:
  type: Spec
  connection_specification:
    type: object
    properties: ${properties}
${end}`;
