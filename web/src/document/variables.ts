import type { Path } from "../api/types";

/** What a template can name, and what it says. */
export interface Variable {
  insert: string;
  about: string;
}

const EVERYWHERE: Variable[] = [
  { insert: "now_utc()", about: "This moment, in UTC" },
  { insert: "today_utc()", about: "Today, in UTC" },
  { insert: "day_delta(-1)", about: "A moment some days from now" },
];
const REQUEST: Variable[] = [
  { insert: "stream_interval['start_time']", about: "Start of the window that is read" },
  { insert: "stream_interval['end_time']", about: "End of the window that is read" },
  { insert: "stream_partition['key']", about: "Value of the partition" },
  { insert: "next_page_token['next_page_token']", about: "Token of the next page" },
];
const RESPONSE: Variable[] = [
  { insert: "response", about: "Body of the response" },
  { insert: "headers", about: "Headers of the response" },
];
const PAGE: Variable[] = [
  { insert: "last_record", about: "Last record of the page" },
  { insert: "last_page_size", about: "Records on the page" },
];
const RECORD: Variable[] = [
  { insert: "record['id']", about: "Field of the record" },
  { insert: "stream_partition['key']", about: "Value of the partition" },
  { insert: "stream_interval['start_time']", about: "Start of the window that is read" },
];

/** What the requests of a consent can name; they are no templates of the manifest's own kind. */
const CONSENT: Variable[] = [
  { insert: "client_id_param", about: "client_id=… of the testing values" },
  { insert: "client_secret_param", about: "client_secret=…, in the exchange only" },
  { insert: "redirect_uri_param", about: "redirect_uri=…, encoded" },
  { insert: "scope_param", about: "scope=…, encoded" },
  { insert: "state_param", about: "state=…, made for each consent" },
  { insert: "auth_code_param", about: "code=…, in the exchange only" },
  { insert: "client_id_value", about: "The client's ID" },
  { insert: "client_secret_value", about: "The client's secret, in the exchange only" },
  { insert: "auth_code_value", about: "The code, in the exchange only" },
  { insert: "redirect_uri_value", about: "Where the user comes back to" },
  { insert: "scope_value", about: "The scopes" },
  { insert: "state_value", about: "The state; also the verifier of PKCE" },
  { insert: "state_value | codechallengeS256", about: "The challenge of PKCE" },
];

/** The variables that are set where the template at `path` is evaluated. */
export function variablesAt(path: Path, inputs: { key: string; title: string }[]): Variable[] {
  if (path.includes("oauth_connector_input_specification")) return CONSENT;
  const config = inputs.map(({ key, title }) => ({ insert: `config['${key}']`, about: `User input: ${title}` }));
  const isIn = (...keys: string[]) => keys.some((key) => path.includes(key));
  const local = isIn("error_handler")
    ? RESPONSE
    : isIn("paginator")
      ? [...RESPONSE, ...PAGE]
      : isIn("transformations", "record_filter")
        ? RECORD
        : isIn("components_mapping")
          ? [{ insert: "components_values['name']", about: "Value of the stream that is made" }]
          : isIn("requester", "base_requester", "creation_requester", "polling_requester", "download_requester")
            ? REQUEST
            : [];
  return [...config, ...local, ...EVERYWHERE];
}

/** The piece of template before the caret that a variable would replace; `null` outside of `{{ }}`. */
export function openTemplate(text: string, caret: number): { from: number; word: string } | null {
  const before = text.slice(0, caret);
  const opened = before.lastIndexOf("{{");
  if (opened < 0 || before.indexOf("}}", opened) >= 0) return null;
  const word = /[\w.'[\]()]*$/.exec(before.slice(opened + 2))?.[0] ?? "";
  return { from: caret - word.length, word };
}

/** The text with `insert` at the caret, braces included where they lack. */
export function insertVariable(text: string, caret: number, insert: string): { text: string; caret: number } {
  const open = openTemplate(text, caret);
  const rest = text.slice(caret);
  if (!open) {
    const made = `{{ ${insert} }}`;
    return { text: text.slice(0, caret) + made + rest, caret: caret + made.length };
  }
  const start = text.slice(0, open.from);
  const pad = start.endsWith("{{") ? " " : "";
  const tail = /^\s*\}\}/.test(rest) ? "" : " }}";
  const made = `${pad}${insert}${tail}`;
  return { text: start + made + rest, caret: open.from + made.length };
}
