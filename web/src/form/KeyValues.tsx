import { useRef, useState } from "preact/hooks";
import type { Json, JsonObject } from "../api/types";
import type { Variable } from "../document/variables";
import { Button } from "../ui/basics";
import { TextInput } from "./TextInput";

interface Props {
  value: JsonObject;
  label: string;
  variables: Variable[];
  disabled?: boolean;
  /** Entries are named by all that their keys are called: as shown, and as asked for since. */
  onSet: (names: string[], value: Json) => Promise<unknown>;
  onRename: (names: string[], to: string) => Promise<unknown>;
  onRemove: (names: string[]) => void;
}

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : JSON.stringify(value ?? ""));

/** Keys with texts, such as parameters and headers. */
export function KeyValues({ value, label, variables, disabled, onSet, onRename, onRemove }: Props) {
  const [isAdding, setAdding] = useState(false);
  /** The names that were asked for and are not shown yet, by the name that is. */
  const renamed = useRef(new Map<string, string[]>());
  const namesOf = (key: string) => [key, ...(renamed.current.get(key) ?? [])];
  const addKey = (key: string) => {
    setAdding(false);
    if (key.trim() && !(key in value)) void onSet([key.trim()], "");
  };
  const rename = async (key: string, to: string) => {
    const names = namesOf(key);
    const later = [...names.slice(1), to];
    renamed.current.set(key, later);
    const done = await onRename(names, to);
    // Of several in a row, the last one ends it.
    if (renamed.current.get(key) === later) renamed.current.delete(key);
    return done;
  };
  return (
    <div class="key-values">
      {Object.entries(value).map(([key, item], index) => (
        <div class="key-value" key={index}>
          <TextInput
            value={key}
            label={`Name of ${label} ${index + 1}`}
            disabled={disabled}
            code
            onCommit={(to) => (to && (to !== key || renamed.current.has(key)) ? rename(key, to) : undefined)}
          />
          <TextInput
            value={textOf(item)}
            label={`Value of ${key}`}
            variables={variables}
            code
            disabled={disabled || (typeof item === "object" && item !== null)}
            onCommit={(text) => onSet(namesOf(key), text)}
          />
          <Button
            kind="quiet"
            small
            icon="close"
            aria-label={`Remove ${key}`}
            disabled={disabled}
            onClick={() => onRemove(namesOf(key))}
          />
        </div>
      ))}
      {isAdding && (
        <div class="key-value">
          <input
            class="input code"
            aria-label={`Name of the new ${label}`}
            placeholder="Name"
            ref={(input) => input?.focus()}
            onBlur={(event) => addKey(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter") {
                event.preventDefault();
                event.currentTarget.blur();
              }
              if (event.key === "Escape") setAdding(false);
            }}
          />
          <span class="muted small">Press Enter, then give its value</span>
        </div>
      )}
      {!disabled && !isAdding && (
        <div>
          <Button small icon="plus" onClick={() => setAdding(true)}>
            Add
          </Button>
        </div>
      )}
    </div>
  );
}
