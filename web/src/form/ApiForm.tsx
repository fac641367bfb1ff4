import { BASE_REQUESTER, hasBaseRequester } from "../document/skeleton";
import { Button, Empty } from "../ui/basics";
import { ConsentForm } from "./ConsentForm";
import { useForm } from "./context";
import { More } from "./ComponentBody";
import { Property } from "./Property";

const BASE = ["definitions", "base_requester"];
const MAIN = ["url", "authenticator"];
const OLD = [
  "url_base",
  "request_body_data",
  "request_body_json",
  "fetch_properties_from_endpoint",
  "path",
  "http_method",
  "$parameters",
  "type",
];

/** What the requests of all streams have in common, and the limits of the whole connector. */
export function ApiForm() {
  const { project, book, readOnly } = useForm();
  const document = project.document.value;
  const properties = book.definition("HttpRequester")?.properties ?? {};
  const isOld = project.node([...BASE, "url_base"]).value !== undefined;
  const root = book.root.properties ?? {};
  const rest = Object.keys(properties).filter((key) => !MAIN.includes(key) && !OLD.includes(key));
  const create = () => {
    const value = { type: "HttpRequester", url: "https://", authenticator: { type: "NoAuth" } };
    void project.edit([{ op: "set", path: BASE, value }], "Create the shared request");
  };
  return (
    <div class="sections">
      <section class="section" aria-label="Requests">
        <header class="section-head">
          <h3 class="grow">Requests of all streams</h3>
        </header>
        <div class="section-body">
          {hasBaseRequester(document) ? (
            <>
              <Property
                of={properties}
                name={isOld ? "url_base" : "url"}
                path={BASE}
                title="Base URL"
                required
                placeholder="https://api.example.com"
                help="What the URLs of all streams begin with."
              />
              <Property
                of={properties}
                name="authenticator"
                path={BASE}
                title="Authentication"
                required
                help="How each request proves who asks. What is secret becomes a user input."
              />
              <More path={BASE} keys={rest}>
                {rest.map((key) => (
                  <Property key={key} of={properties} name={key} path={BASE} />
                ))}
              </More>
            </>
          ) : (
            <Empty
              icon="globe"
              title="Each stream has its own request"
              actions={
                !readOnly && (
                  <Button icon="plus" onClick={create}>
                    Create a shared request
                  </Button>
                )
              }
            >
              This connector has no <code>{BASE_REQUESTER.slice(2)}</code>. With one, base URL and authentication are
              written once.
            </Empty>
          )}
        </div>
      </section>
      <ConsentForm />
      <section class="section" aria-label="Check and limits">
        <header class="section-head">
          <h3 class="grow">Connection check and limits</h3>
        </header>
        <div class="section-body">
          <Property
            of={root}
            name="check"
            path={[]}
            title="The connection is checked by"
            required
            help="What is tried when the connection is set up."
          />
          <Property
            of={root}
            name="concurrency_level"
            path={[]}
            title="Concurrency"
            help="How many requests run at a time."
          />
          <Property
            of={root}
            name="api_budget"
            path={[]}
            title="Request budget"
            help="How many requests the API allows in a time."
          />
        </div>
      </section>
    </div>
  );
}
