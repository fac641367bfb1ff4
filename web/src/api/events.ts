/** Server-sent events of a POST, which the browser's own `EventSource` cannot send. */

export interface ServerEvent {
  event: string;
  data: string;
}

/** Takes pieces of a stream as they come, and gives the events that are whole. */
export class EventParser {
  #rest = "";

  push(piece: string): ServerEvent[] {
    this.#rest = (this.#rest + piece).replaceAll("\r\n", "\n");
    const blocks = this.#rest.split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map(parseBlock).filter((event) => event.data !== "");
  }
}

function parseBlock(block: string): ServerEvent {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field, value] = /^(event|data): ?(.*)$/.exec(line) ?? [];
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return { event, data: data.join("\n") };
}

/** Each event with its data and its name in `event`, until the stream ends. */
export async function* eventsOf<E>(response: Response): AsyncGenerator<E> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const { event, data } of parser.push(value)) {
      yield { ...(JSON.parse(data) as object), event } as E;
    }
  }
}
