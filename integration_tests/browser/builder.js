// What a person does in the Builder, by the words on its buttons.

export async function createConnector(page, base, name, url) {
  await page.goto(`${base}/`);
  await page
    .getByText(/Start from scratch|New connector/)
    .first()
    .click();
  await page.getByLabel("Name", { exact: false }).fill(name);
  await page.getByLabel("Base URL of the API").fill(url);
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "API settings" }).waitFor();
}

export async function importYaml(page, base, name, text) {
  await page.goto(`${base}/`);
  await page
    .getByText(/Import a YAML|Import YAML/)
    .first()
    .click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Or paste it here").fill(text);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByRole("heading", { name: "API settings" }).waitFor();
}

export async function addStream(page, name, path) {
  await page.getByRole("button", { name: "Add a stream", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("URL path").fill(path);
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name, exact: true }).waitFor();
}

/** A part of the connector, by its name at the left. */
export const openPart = (page, name) =>
  page
    .getByRole("navigation", { name: "Parts of the connector" })
    .getByRole("button", { name: new RegExp(`^${name}`) })
    .click();

export const section = (page, name) => page.getByRole("region", { name, exact: true });

export async function turnOn(page, name) {
  await section(page, name).getByRole("switch", { name, exact: true }).check();
  await section(page, name).getByRole("button", { expanded: true }).first().waitFor();
}

/** Fills a field and leaves it, so that the text has it. */
export async function fill(field, text) {
  await field.fill(text);
  await field.blur();
}

export async function saved(page) {
  // To the letter: a message about what was not saved is a status too.
  await page.getByRole("status").getByText("Saved", { exact: true }).waitFor();
}

export async function giveTestingValues(page, values) {
  await page.getByRole("button", { name: "Testing values", exact: true }).click();
  const dialog = page.getByRole("dialog");
  for (const [label, value] of Object.entries(values)) await dialog.getByLabel(label, { exact: false }).fill(value);
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Runs a test of the stream that is chosen, and waits for what comes of it. */
export async function test(page) {
  await page.getByRole("button", { name: "Test", exact: true }).click();
  await page
    .getByRole("tab", { name: /^Records/ })
    .or(page.getByText("The test failed."))
    .first()
    .waitFor();
}

/** Makes a version of the draft, in spite of warnings. */
export async function publish(page, words) {
  await page.getByRole("button", { name: "Publish" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("What is new").fill(words);
  const ignore = dialog.getByRole("switch", { name: "Ignore warnings" });
  if (await ignore.count()) await ignore.check();
  await dialog.getByRole("button", { name: "Publish", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Chooses something from the menu of the connector. */
export async function choose(page, name) {
  await page.getByRole("button", { name: "More", exact: true }).click();
  await page.getByRole("menuitem", { name }).click();
}

/** The manifest as it stands on the server. */
export async function textOf(page) {
  await saved(page);
  const [, workspace, , id] = new URL(page.url()).pathname.split("/");
  const response = await page.request.get(new URL(`/api/workspaces/${workspace}/projects/${id}`, page.url()).href);
  return (await response.json()).draft.text;
}
