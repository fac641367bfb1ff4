// OAuth: a consent is declared, given at a provider, and its tokens are tested with.

import assert from "node:assert/strict";
import { test as it } from "node:test";
import { fill, giveTestingValues, openPart, section, test } from "./builder.js";
import { connector, hasText, setting } from "./setting.js";
import { accessibilityFaults, shoot } from "./world.js";

const SECRET = "client-secret-0123456789";
const REFRESH = "refresh-token-0123456789";
const ACCESS = "access-token-0123456789";
/** What the provider was asked to agree to last, and whether its user does. */
let asked;
let agrees = true;

const world = setting((url, headers) => {
  const query = Object.fromEntries(url.searchParams);
  switch (url.pathname) {
    case "/authorize": {
      asked = query;
      const back = new URL(query.redirect_uri);
      const answer = agrees ? { code: "c0de" } : { error: "access_denied", error_description: "not today" };
      for (const [name, value] of Object.entries({ ...answer, state: query.state })) back.searchParams.set(name, value);
      return { status: 302, body: "", headers: { location: back.href } };
    }
    case "/token":
      if (query.grant_type === "authorization_code") {
        const fits = query.code === "c0de" && query.client_secret === SECRET && query.redirect_uri === asked.redirect_uri;
        return fits ? { body: { refresh_token: REFRESH } } : { status: 400, body: { error: "invalid_grant" } };
      }
      return { body: { access_token: ACCESS, expires_in: 3600 } };
    default:
      return headers.authorization === `Bearer ${ACCESS}` ? { body: [{ id: 1 }] } : { status: 401, body: {} };
  }
});

/** A connector with OAuth whose consent is declared, but for its addresses. */
async function declared(name) {
  const page = await world.opened(name, connector(world.api.url));
  await page.getByLabel("Authentication", { exact: true }).selectOption({ label: "OAuth" });
  await fill(page.getByLabel("Token refresh endpoint", { exact: true }), `${world.api.url}/token`);
  const consent = section(page, "Consent in a browser");
  await consent.getByRole("switch", { name: "Consent in a browser" }).check();
  const url = consent.getByLabel("Consent URL", { exact: true });
  await url.waitFor();
  await fill(url, (await url.inputValue()).replace("https://", `${world.api.url}/authorize`));
  await fill(consent.getByLabel("Scope", { exact: true }), "read write");
  await hasText(page, [/consent_url: .*\/authorize/, /scope: .?read write/, /path_in_connector_config/]);
  return page;
}

it("Connect sends to the provider, and what it gives is tested with", async () => {
  agrees = true;
  const page = await declared("Provider");
  await shoot(page, "oauth-1-declared");
  assert.deepEqual(await accessibilityFaults(page), []);
  const consent = section(page, "Consent in a browser");
  await consent.getByText(`${world.builder.url}/oauth/callback`).waitFor();

  // Nothing goes without the client's ID.
  const closed = page.waitForEvent("popup").then((opened) => opened.waitForEvent("close"));
  await consent.getByRole("button", { name: "Connect", exact: true }).click();
  await closed;
  await consent.getByText(/There is no testing value for `?client_id/).waitFor();

  await giveTestingValues(page, { "Client ID": "me", "Client secret": SECRET, "Refresh token": "old" });
  // A question that gets no answer is asked again.
  await page.route("**/api/oauth/*", (route) => route.abort(), { times: 1 });
  const [provider] = await Promise.all([
    page.waitForEvent("popup"),
    consent.getByRole("button", { name: "Connect", exact: true }).click(),
  ]);
  await provider.getByRole("heading", { name: "Connected" }).waitFor();
  await shoot(provider, "oauth-2-connected");
  assert.equal(await provider.evaluate(() => window.opener), null);
  await page.getByText("Connected: client_refresh_token is filled.").waitFor();
  assert.equal(asked.client_id, "me");
  assert.equal(asked.scope, "read write");
  assert.equal(asked.state.length, 64);
  assert.ok(!JSON.stringify(asked).includes(SECRET), "the secret is not in the address of the consent");

  await openPart(page, "items");
  await test(page);
  await page.getByRole("cell", { name: "1", exact: true }).waitFor();
  await page.getByRole("tab", { name: /^Other requests/ }).click();
  for (const secret of [SECRET, REFRESH, ACCESS]) assert.ok(!(await page.content()).includes(secret), secret);

  // Another try with the same answer is nobody's.
  await provider.reload();
  await provider.getByRole("heading", { name: "Not connected" }).waitFor();
  await world.cleared(page);
});

it("a user who does not agree is told so, and can cancel", async () => {
  agrees = false;
  const page = await declared("Refusal");
  await page.getByRole("button", { name: "Testing values", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Client ID").fill("me");
  await dialog.getByLabel("Client secret").fill(SECRET);
  const connect = dialog.getByRole("button", { name: "Connect", exact: true });
  const [provider] = await Promise.all([page.waitForEvent("popup"), connect.click()]);
  await provider.getByRole("heading", { name: "Not connected" }).waitFor();
  await dialog.getByText("The provider says: access_denied: not today.").waitFor();
  await shoot(page, "oauth-3-refused");
  await provider.close();

  await page.route("**/api/oauth/*", (route) => route.fulfill({ json: { status: "waiting" } }));
  const [second] = await Promise.all([page.waitForEvent("popup"), connect.click()]);
  await dialog.getByText("Waiting for you to agree in the other window.").waitFor();
  await shoot(page, "oauth-4-waiting");
  await dialog.getByRole("button", { name: "Cancel", exact: true }).first().click();
  await connect.waitFor();
  await second.close();
  await world.cleared(page);
});
