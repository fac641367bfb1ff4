import type { ServerResponse } from "node:http";

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

const dateOf = (day: number) => new Date(Date.now() - (5 - day) * 86_400_000).toISOString().slice(0, 10);

const record = (day: number) => ({
  success: true,
  historical: true,
  base: "USD",
  quote: "EUR",
  date: dateOf(day),
  timestamp: 1730500000 + day * 86400,
  title: "<img src=x onerror=alert(1)>",
  rates: { EUR: 0.92 + day / 100, GBP: 0.78, JPY: 151.2 },
});

const request = (day: number) => ({
  url: `https://api.example.com/exchangerates_data/${dateOf(day)}?base=USD`,
  http_method: "GET",
  headers: { apikey: "****", accept: "*/*", "user-agent": "builder" },
  body: null,
});

/** The events of a test of five days, one of which is waited for. */
/** Begins a stream of events; each is said as it comes. */
function events(response: ServerResponse) {
  response.setHeader("content-type", "text/event-stream");
  return (event: string, data: object) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

export async function fakeImage(response: ServerResponse, tag: string): Promise<void> {
  const say = events(response);
  for (const message of ["Putting program, shell, and manifest together", "Writing the archive"]) {
    say("progress", { message });
    await pause(800);
  }
  say("done", {
    download: "/api/downloads/1",
    size: 12_345_678,
    digest: `sha256:${"0123456789abcdef".repeat(4)}`,
    tag,
    architectures: ["amd64"],
    commands: ["docker load -i image.tar", "podman load -i image.tar"],
    pushed_to: null,
    warnings: [],
  });
  response.end();
}

export async function fakeTest(response: ServerResponse): Promise<void> {
  const say = events(response);
  say("started", { test: "t1" });
  const slices = [];
  const timeline = [];
  for (let day = 1; day <= 5; day += 1) {
    const at = day * 180;
    say("request", { id: String(day), kind: "stream", method: "GET", url: request(day).url, at_ms: at });
    await pause(120);
    say("response", { id: String(day), status: 200, at_ms: at + 120, bytes: 420 });
    say("records", { count: day });
    if (day === 2) {
      say("wait", { seconds: 1.5, reason: "the API asked for it with Retry-After", at_ms: at, wait: "w1" });
      await pause(1500);
    }
    slices.push({
      slice_descriptor: { start_time: dateOf(day), end_time: dateOf(day) },
      state: [
        { type: "STREAM", stream: { stream_descriptor: { name: "Rates" }, stream_state: { date: dateOf(day) } } },
      ],
      pages: [
        {
          records: [record(day)],
          request: request(day),
          response: { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(record(day)) },
        },
      ],
    });
    timeline.push({
      id: day,
      kind: day === 1 ? "auth" : "stream",
      title: `GET /exchangerates_data/${dateOf(day)}`,
      started_ms: at,
      waited_ms: day === 3 ? 140 : 0,
      first_byte_ms: at + 90,
      ended_ms: at + 120,
      depends_on: day > 1 ? 1 : null,
    });
  }
  say("result", {
    logs: [
      { level: "INFO", message: "Read 5 records" },
      { level: "WARN", message: "<b>Header</b> X-Limit is low" },
    ],
    slices,
    timeline,
    auxiliary_requests: [
      {
        title: "Login",
        type: "AUTH",
        description: "Asks for a token",
        request: request(1),
        response: { status: 200, headers: {}, body: '{"token": "****"}' },
      },
    ],
    test_read_limit_reached: true,
    inferred_datetime_formats: { date: "%Y-%m-%d" },
    latest_config_update: null,
    inferred_schema: {
      type: "object",
      properties: {
        success: { type: ["boolean", "null"] },
        date: { type: ["string", "null"] },
        rates: { type: "object", properties: { EUR: { type: "number" } } },
      },
    },
    primary_key_problems: [],
  });
  response.end();
}
