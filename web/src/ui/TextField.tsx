import type { ComponentChildren } from "preact";
import { Labelled } from "./basics";

/** A line of text in a dialog. */
export function TextField({
  label,
  value,
  onInput,
  code,
  help,
  fault,
  needed,
  ...input
}: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  /** Whether it is read letter by letter: an address, a path. */
  code?: boolean;
  help?: ComponentChildren;
  fault?: string | null;
  needed?: boolean;
  placeholder?: string;
  autofocus?: boolean;
  disabled?: boolean;
  readOnly?: boolean;
  inputMode?: "url";
}) {
  return (
    <Labelled label={label} help={help} fault={fault} needed={needed}>
      {(id) => (
        <input
          {...input}
          id={id}
          class={code ? "input code" : "input"}
          spellcheck={!code}
          aria-invalid={Boolean(fault)}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Labelled>
  );
}
