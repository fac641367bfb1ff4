import { useState } from "preact/hooks";
import type { Json, JsonObject } from "../api/types";
import { Empty, Segments } from "../ui/basics";
import { JsonView } from "./JsonView";

const STEP = 100;

const textOf = (value: Json | undefined): string =>
  value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);

/** The records of one page, as a table or as they are. */
export function Records({ records }: { records: JsonObject[] }) {
  const [form, setForm] = useState<"table" | "json">("table");
  const [count, setCount] = useState(STEP);
  if (!records.length)
    return (
      <Empty icon="table" title="No records on this page">
        The tab “Response” shows what the API answered.
      </Empty>
    );
  const shown = records.slice(0, count);
  const columns = [...new Set(shown.flatMap((record) => Object.keys(record)))].slice(0, 80);
  return (
    <>
      <div class="body-tools">
        <Segments
          label="Form of the records"
          value={form}
          onChange={setForm}
          options={[
            { value: "table", title: "Table" },
            { value: "json", title: "JSON" },
          ]}
        />
      </div>
      {form === "json" ? (
        <JsonView value={shown} />
      ) : (
        <div class="table-box" tabIndex={0} role="region" aria-label="Records">
          <table class="table">
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((record, index) => (
                <tr key={index}>
                  {columns.map((column) => {
                    const text = textOf(record[column]);
                    return (
                      <td
                        key={column}
                        class={typeof record[column]}
                        title={text.length > 30 ? text.slice(0, 2000) : undefined}
                      >
                        {text.slice(0, 200)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {records.length > count && (
        <div class="pad">
          <button type="button" class="link" onClick={() => setCount(count + STEP * 5)}>
            Show more: {records.length - count} of {records.length} are left
          </button>
        </div>
      )}
    </>
  );
}
