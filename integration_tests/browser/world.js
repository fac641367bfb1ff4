// The Builder as a person has it: the binary, an API beside it, and a browser.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** A busy machine, on demand: what the server answers comes up to so much later, and scripts take four times as long. */
const SLOW_MS = Number(process.env.SLOW_MS ?? 0);
const PATIENCE_MS = SLOW_MS ? 60_000 : 15_000;

/** An API on this machine; `answer` gives the status and the body, by the request. */
export async function startApi(answer) {
  const seen = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://api");
    seen.push({ url, headers: request.headers });
    const { status = 200, body, headers = {} } = answer(url, request.headers);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}`, seen, stop: () => server.close() };
}

/** The Builder on a port that is free, with a folder of its own. */
export async function startBuilder(args = []) {
  const data = mkdtempSync(join(tmpdir(), "builder-"));
  let child;
  const start = async (address) => {
    child = spawn(process.env.BINARY, ["builder", "--bind", address, "--data", data, ...args], {
      stdio: ["ignore", "inherit", "pipe"],
    });
    for await (const line of createInterface({ input: child.stderr })) {
      const found = /http:\/\/\S+/.exec(line);
      if (found) return found[0];
    }
    throw new Error("the Builder did not start");
  };
  const end = () =>
    new Promise((done) => {
      child.once("exit", done);
      child.kill("SIGKILL");
    });
  const url = await start("127.0.0.1:0");
  return {
    url,
    crash: end,
    restart: () => start(new URL(url).host),
    stop: async () => {
      await end();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

export const startBrowser = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: QUIET });

/** A page that remembers what went wrong in it. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  if (SLOW_MS) await slow(page);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`${error.message} ${error.stack?.split("\n")[1] ?? ""}`));
  page.on("console", (message) => {
    if (/Content Security Policy/i.test(message.text())) page.faults.push(message.text());
  });
  return page;
}

async function slow(page) {
  await page.route("**/api/**", async (route) => {
    await new Promise((done) => setTimeout(done, Math.random() * SLOW_MS));
    // A page that was left meanwhile takes no answer.
    await route.continue().catch(() => {});
  });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
}

/** Serious faults that axe finds on a page, each with the element it was found at. */
export async function accessibilityFaults(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")} ${node.html.slice(0, 120)}`));
}

/** Puts a screenshot where `SHOTS` says, for people to look at. */
export async function shoot(page, name) {
  if (process.env.SHOTS) await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`) });
}
