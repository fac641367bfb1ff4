import { useState } from "preact/hooks";
import type { Json, JsonObject } from "../api/types";
import type { Variable } from "../document/variables";
import { Button } from "../ui/basics";
import { TextInput } from "./TextInput";

interface Props {
  value: JsonObject;
  label: string;
  variables: Variable[];
  disabled?: boolean;
  onSet: (key: string, value: Json) => Promise<unknown>;
  onRename: (from: string, to: string) => Promise<unknown>;
  onRemove: (key: string) => void;
}

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : JSON.stringify(value ?? ""));

/** Keys with texts, such as parameters and headers. */
export function KeyValues({ value, label, variables, disabled, onSet, onRename, onRemove }: Props) {
  const [isAdding, setAdding] = useState(false);
  const addKey = (key: string) => {
    setAdding(false);
    if (key.trim() && !(key in value)) void onSet(key.trim(), "");
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
            onCommit={(to) => (to && to !== key ? onRename(key, to) : undefined)}
          />
          <TextInput
            value={textOf(item)}
            label={`Value of ${key}`}
            variables={variables}
            code
            disabled={disabled || (typeof item === "object" && item !== null)}
            onCommit={(text) => onSet(key, text)}
          />
          <Button
            kind="quiet"
            small
            icon="close"
            aria-label={`Remove ${key}`}
            disabled={disabled}
            onClick={() => onRemove(key)}
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
