import { useEffect, useState } from "preact/hooks";
import type { Json, Path } from "../api/types";
import { componentName, type Schema } from "../document/schema";
import { isObject, isWithin } from "../document/walk";
import { target } from "../state/view";
import { Segments } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { ComponentBody } from "./ComponentBody";
import { useForm } from "./context";
import { Faults } from "./Field";
import { RetrievalField } from "./RetrievalField";
import { SchemaField } from "./SchemaField";
import { SchemaSection } from "./SchemaSection";
import { Section, useSchemaAt } from "./Section";
import { OF_STREAM, SECTIONS } from "./sections";
import { YamlInPlace } from "./YamlInPlace";

/** One stream: the parts of a request and of what comes back, each a section of its own. */
export function StreamForm({ path }: { path: Path }) {
  const { project } = useForm();
  const stream = project.node(path);
  const retriever = project.node([...path, "retriever"]).value;
  const kind = isObject(retriever) && typeof retriever.type === "string" ? retriever.type : "SimpleRetriever";
  if (isObject(stream.value) && stream.value.type !== undefined && stream.value.type !== "DeclarativeStream") {
    return <OtherStream path={path} type={String(stream.value.type)} />;
  }
  return (
    <div class="sections">
      <Faults findings={project.findingsAt(path)} />
      <NameField path={path} kind={kind} />
      {kind === "AsyncRetriever" && <AsyncSections path={path} />}
      {kind !== "SimpleRetriever" && kind !== "AsyncRetriever" && (
        <OtherRetriever path={[...path, "retriever"]} kind={kind} />
      )}
      {(kind === "SimpleRetriever" ? SECTIONS : OF_STREAM).map((section) => (
        <Section key={section.id} definition="DeclarativeStream" root={path} spec={section} />
      ))}
      <SchemaSection path={path} />
      <Advanced path={path} kind={kind} />
    </div>
  );
}

/** A retriever that is no request and no job: custom code. */
function OtherRetriever({ path, kind }: { path: Path; kind: string }) {
  const { project, book } = useForm();
  const { value, at } = project.node(path);
  const schema = book.definition(kind);
  return (
    <section class="section plain" aria-label="Retrieval">
      {schema ? (
        <ComponentBody path={path} at={at} schema={schema} value={value} label="Retriever" flat />
      ) : (
        <YamlInPlace path={at} label="Retriever" />
      )}
    </section>
  );
}

function NameField({ path, kind }: { path: Path; kind: string }) {
  const schema = useSchemaAt("DeclarativeStream", path, ["name"]);
  return (
    schema && (
      <div class="section plain">
        <SchemaField
          path={[...path, "name"]}
          schema={schema}
          title="Name"
          help="What the stream is called where the data arrives."
          required
        />
        <RetrievalField path={path} kind={kind} />
      </div>
    )
  );
}

/** A stream that is a choice between streams, or that the form does not know: its fields as the schema has them. */
function OtherStream({ path, type }: { path: Path; type: string }) {
  const { project, book } = useForm();
  const schema = book.definition(type);
  const node = project.node(path);
  if (!schema?.properties) return <YamlInPlace path={path} label={type} />;
  return (
    <div class="section plain">
      <ComponentBody path={path} at={node.at} schema={schema} value={node.value} label={type} flat />
    </div>
  );
}

const PHASES = [
  { value: "creation", title: "Creation", fields: ["creation_requester"] },
  {
    value: "polling",
    title: "Polling",
    fields: ["polling_requester", "status_extractor", "status_mapping", "polling_job_timeout"],
  },
  {
    value: "download",
    title: "Download",
    fields: [
      "download_requester",
      "download_target_extractor",
      "download_extractor",
      "download_decoder",
      "download_paginator",
      "record_selector",
      "decoder",
      "partition_router",
    ],
  },
] as const;

function AsyncSections({ path }: { path: Path }) {
  const { book } = useForm();
  const [phase, setPhase] = useState<"creation" | "polling" | "download">("creation");
  const wanted = target.value?.path;
  useEffect(() => {
    const found =
      wanted && PHASES.find((one) => one.fields.some((field) => isWithin(wanted, [...path, "retriever", field])));
    if (found) setPhase(found.value);
  }, [wanted]);
  const schema = book.definition("AsyncRetriever");
  const shown = PHASES.find((one) => one.value === phase);
  return (
    <section class="section" aria-label="Asynchronous job">
      <header class="section-head">
        <h3 class="grow">Asynchronous job</h3>
        <Segments
          label="Phase of the job"
          value={phase}
          options={PHASES.map(({ value, title }) => ({ value, title }))}
          onChange={setPhase}
        />
      </header>
      <div class="section-body">
        <p class="help">
          The API prepares the data while it is asked for its progress. A test of such a stream can take minutes.
        </p>
        {shown?.fields.map((key) => {
          const property = schema?.properties?.[key];
          return (
            property && (
              <SchemaField
                key={key}
                path={[...path, "retriever", key]}
                schema={property}
                required={schema.required?.includes(key)}
              />
            )
          );
        })}
      </div>
    </section>
  );
}

const SHOWN_ABOVE: Record<string, string[]> = {
  stream: ["name", "retriever", "primary_key", "incremental_sync", "transformations", "schema_loader"],
  retriever: ["requester", "record_selector", "paginator", "partition_router", "decoder"],
  requester: [
    "url",
    "path",
    "http_method",
    "request_parameters",
    "request_headers",
    "request_body",
    "error_handler",
    "authenticator",
  ],
};

function Advanced({ path, kind }: { path: Path; kind: string }) {
  const { project, book } = useForm();
  const wanted = target.value?.path;
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (wanted && isWithin(wanted, path) && isAdvanced(wanted.slice(path.length))) setOpen(true);
  }, [wanted]);
  const parts: { path: Path; name: string; without: string[] }[] = [
    { path, name: "DeclarativeStream", without: SHOWN_ABOVE.stream ?? [] },
  ];
  if (kind === "SimpleRetriever") {
    parts.push({
      path: [...path, "retriever", "requester"],
      name: "HttpRequester",
      without: SHOWN_ABOVE.requester ?? [],
    });
    parts.push({ path: [...path, "retriever"], name: "SimpleRetriever", without: SHOWN_ABOVE.retriever ?? [] });
  }
  return (
    <section class="section" aria-label="Advanced">
      <header class="section-head">
        <button type="button" class="section-title" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? "down" : "right"} size={14} />
          <h3>Advanced</h3>
        </button>
        <span class="help clip grow">{isOpen ? "" : "Timeouts, caching, files, older states."}</span>
      </header>
      {isOpen && (
        <div class="section-body">
          {parts.map((part) => {
            const schema = book.definition(part.name);
            const node = project.node(part.path);
            const other = isObject(node.value) && typeof node.value.type === "string" && node.value.type !== part.name;
            return (
              schema &&
              !other && (
                <AllFields key={part.name} path={part.path} schema={schema} without={part.without} value={node.value} />
              )
            );
          })}
        </div>
      )}
    </section>
  );
}

/** Every field but those `without`, none behind a fold. */
function AllFields({
  path,
  schema,
  without,
  value,
}: {
  path: Path;
  schema: Schema;
  without: string[];
  value: Json | undefined;
}) {
  const keys = Object.keys(schema.properties ?? {}).filter((key) => key !== "type" && !without.includes(key));
  const shown = keys.filter((key) => !key.startsWith("$") || (isObject(value) && key in value));
  return (
    <>
      {shown.map((key) => {
        const property = schema.properties?.[key];
        return (
          property && <SchemaField key={`${componentName(schema)}.${key}`} path={[...path, key]} schema={property} />
        );
      })}
    </>
  );
}

const isAdvanced = (inner: Path) => {
  const [first, second, third] = inner.map(String);
  if (first !== "retriever") return !SHOWN_ABOVE.stream?.includes(first ?? "");
  if (second !== "requester") return !SHOWN_ABOVE.retriever?.includes(second ?? "");
  return third !== undefined && !SHOWN_ABOVE.requester?.includes(third);
};
