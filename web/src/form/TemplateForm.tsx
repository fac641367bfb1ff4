import { useState } from "preact/hooks";
import type { Path } from "../api/types";
import { testing } from "../test/store";
import { section, target } from "../state/view";
import { Sentence } from "../ui/Words";
import { Button, Notice, Segments } from "../ui/basics";
import { isWithin } from "../document/walk";
import { useForm } from "./context";
import { Property } from "./Property";
import { ResolverForm } from "./ResolverForm";
import { StreamForm } from "./StreamForm";

/** A template of streams: where their names and paths come from, what each looks like, and which there are now. */
export function TemplateForm({ path, name }: { path: Path; name: string }) {
  const { project, book } = useForm();
  const [part, setPart] = useState<"resolver" | "template" | "streams">("resolver");
  const wanted = target.value?.path;
  const shown = wanted && isWithin(wanted, [...path, "stream_template"]) ? "template" : part;
  const schema = book.definition("DynamicDeclarativeStream")?.properties ?? {};
  const store = testing(project);
  const generated = store.generated.value.filter((stream) => stream.dynamic_stream_name === name);
  return (
    <div class="sections">
      <Segments
        label="Part of the template"
        value={shown}
        onChange={(next) => {
          target.value = null;
          setPart(next);
        }}
        options={[
          { value: "resolver", title: "Source of streams" },
          { value: "template", title: "Stream template" },
          { value: "streams", title: `Generated streams (${generated.length})` },
        ]}
      />
      {generated.length > 0 && store.isOutdated(name) && (
        <Notice kind="warning">The template was changed since its streams were generated.</Notice>
      )}
      {shown === "resolver" && (
        <>
          <div class="section plain">
            <Property of={schema} name="name" path={path} title="Name of the template" />
          </div>
          <ResolverForm path={[...path, "components_resolver"]} />
        </>
      )}
      {shown === "template" && <StreamForm path={[...path, "stream_template"]} />}
      {shown === "streams" && <Generated name={name} />}
    </div>
  );
}

function Generated({ name }: { name: string }) {
  const { project } = useForm();
  const store = testing(project);
  const [limit, setLimit] = useState(10);
  const streams = store.generated.value.filter((stream) => stream.dynamic_stream_name === name);
  return (
    <section class="section plain" aria-label="Generated streams">
      <p class="help">
        Asks the API or the config which streams there are now, and fills the template for each. They are read-only:
        change the template.
      </p>
      <div class="row">
        <label class="row">
          At most
          <input
            class="input"
            style={{ width: 76 }}
            type="number"
            min={1}
            max={1000}
            value={limit}
            onInput={(event) => setLimit(Number(event.currentTarget.value) || 10)}
          />
        </label>
        <Button kind="primary" busy={store.isGenerating.value} onClick={() => void store.generate(limit)}>
          {streams.length ? "Generate again" : "Generate streams"}
        </Button>
      </div>
      {store.generateFault.value && (
        <Notice kind="error">
          <Sentence text={store.generateFault.value} />
        </Notice>
      )}
      <ul class="list">
        {streams.map((stream) => (
          <li key={stream.name}>
            <button
              type="button"
              class="list-item"
              onClick={() => (section.value = { kind: "generated", template: name, name: stream.name })}
            >
              {stream.name}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A stream that a template made: shown, tested, not changed. */
export function GeneratedForm({ name }: { name: string }) {
  const { project } = useForm();
  const stream = testing(project).generated.value.find((one) => one.name === name);
  return (
    <div class="sections">
      <Notice icon="lock">
        This stream was made by the template “{stream?.dynamic_stream_name}”. It can be tested; change it in the
        template.
      </Notice>
      <pre class="json" tabIndex={0} role="region" aria-label="Definition">
        {JSON.stringify(stream?.definition ?? null, null, 2)}
      </pre>
    </div>
  );
}
