import type { Path } from "../api/types";
import { isObject } from "../document/walk";
import { titleOfComponent } from "../document/words";
import { section } from "../state/view";
import { Icon } from "../ui/Icon";
import { useForm } from "./context";
import { SchemaField } from "./SchemaField";

/** What a stream's request takes from the connector, and the fields for streams that have their own. */
export function InheritedRequest({ root }: { root: Path }) {
  const { project, book } = useForm();
  const requester = [...root, "retriever", "requester"];
  const url = project.node([...requester, "url"]);
  const base = url.value === undefined ? project.node([...requester, "url_base"]) : url;
  const authenticator = project.node([...requester, "authenticator"]);
  const schema = book.definition("HttpRequester");
  const key = url.value === undefined && base.value !== undefined ? "url_base" : "url";
  const urlSchema = schema?.properties?.[key];
  const authSchema = schema?.properties?.authenticator;
  if (!base.inherited) {
    return (
      <>
        {urlSchema && (
          <SchemaField
            path={[...requester, key]}
            schema={urlSchema}
            title="URL"
            help="What the URL begins with, or the whole of it."
          />
        )}
        {authSchema && !authenticator.inherited && (
          <SchemaField path={[...requester, "authenticator"]} schema={authSchema} title="Authentication" />
        )}
      </>
    );
  }
  const auth =
    isObject(authenticator.value) && typeof authenticator.value.type === "string"
      ? titleOfComponent(authenticator.value.type)
      : "No authentication";
  return (
    <>
      <div class="inherited">
        <Icon name="globe" size={15} />
        <span class="grow clip">
          <code>{String(base.value) || "No base URL yet"}</code>
        </span>
        <span class="muted clip">
          {authenticator.inherited || authenticator.value === undefined ? auth : "Own authentication"}
        </span>
        <button type="button" class="link small" onClick={() => (section.value = { kind: "api" })}>
          API settings
        </button>
      </div>
      {authSchema && authenticator.value !== undefined && !authenticator.inherited && (
        <SchemaField path={[...requester, "authenticator"]} schema={authSchema} title="Authentication" />
      )}
    </>
  );
}
