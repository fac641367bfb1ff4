import { BASE_REQUESTER, hasBaseRequester } from "../document/skeleton";
import { Button, Empty } from "../ui/basics";
import { useForm } from "./context";
import { More } from "./ComponentBody";
import { SchemaField } from "./SchemaField";

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
              {["url", ...(isOld ? ["url_base"] : [])]
                .filter((key) => key !== "url" || !isOld)
                .map((key) => {
                  const property = properties[key];
                  return (
                    property && (
                      <SchemaField
                        key={key}
                        path={[...BASE, key]}
                        schema={property}
                        title="Base URL"
                        required
                        placeholder="https://api.example.com"
                        help="What the URLs of all streams begin with."
                      />
                    )
                  );
                })}
              {properties.authenticator && (
                <SchemaField
                  path={[...BASE, "authenticator"]}
                  schema={properties.authenticator}
                  title="Authentication"
                  required
                  help="How each request proves who asks. What is secret becomes a user input."
                />
              )}
              <More path={BASE} keys={rest}>
                {rest.map((key) => {
                  const property = properties[key];
                  return property && <SchemaField key={key} path={[...BASE, key]} schema={property} />;
                })}
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
      <section class="section" aria-label="Check and limits">
        <header class="section-head">
          <h3 class="grow">Connection check and limits</h3>
        </header>
        <div class="section-body">
          {root.check && (
            <SchemaField
              path={["check"]}
              schema={root.check}
              title="The connection is checked by"
              required
              help="What is tried when the connection is set up."
            />
          )}
          {root.concurrency_level && (
            <SchemaField
              path={["concurrency_level"]}
              schema={root.concurrency_level}
              title="Concurrency"
              help="How many requests run at a time."
            />
          )}
          {root.api_budget && (
            <SchemaField
              path={["api_budget"]}
              schema={root.api_budget}
              title="Request budget"
              help="How many requests the API allows in a time."
            />
          )}
        </div>
      </section>
    </div>
  );
}
