import { useForm } from "./context";
import { Property } from "./Property";
import { YamlInPlace } from "./YamlInPlace";

const ELSEWHERE = [
  "type",
  "streams",
  "dynamic_streams",
  "spec",
  "check",
  "concurrency_level",
  "api_budget",
  "definitions",
];

/** What belongs to the manifest as a whole and is seldom changed. */
export function AdvancedForm() {
  const { project, book } = useForm();
  const properties = book.root.properties ?? {};
  const definitions = project.node(["definitions"]).value;
  return (
    <div class="sections">
      <section class="section" aria-label="Manifest">
        <header class="section-head">
          <h3>Manifest</h3>
        </header>
        <div class="section-body">
          {Object.keys(properties)
            .filter((key) => !ELSEWHERE.includes(key))
            .map((key) => (
              <Property key={key} of={properties} name={key} path={[]} required={key === "version"} />
            ))}
        </div>
      </section>
      {definitions !== undefined && (
        <section class="section" aria-label="Shared definitions">
          <header class="section-head">
            <h3>Shared definitions</h3>
          </header>
          <div class="section-body">
            <p class="help">
              Components that others refer to by <code>$ref</code>.
            </p>
            <YamlInPlace path={["definitions"]} label="Definitions" />
          </div>
        </section>
      )}
    </div>
  );
}
