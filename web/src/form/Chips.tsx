import { useState } from "preact/hooks";
import { Icon } from "../ui/Icon";
import { type Take, useChosen } from "../ui/useChosen";

/** A list of short texts: typed one after the other, taken back one by one. */
export function Chips({
  id,
  values: given,
  onChange,
  placeholder,
  label,
  disabled,
  suggestions = [],
}: {
  id?: string;
  values: string[];
  onChange: Take<string[]>;
  placeholder?: string;
  label?: string;
  disabled?: boolean;
  suggestions?: string[];
}) {
  const [typed, setTyped] = useState("");
  const [values, choose] = useChosen(given, onChange);
  const add = () => {
    const parts = typed.includes("{{") ? [typed.trim()] : typed.split(/[,\n]/).map((part) => part.trim());
    const added = parts.filter(Boolean);
    if (added.length) choose([...values, ...added]);
    setTyped("");
  };
  const keys = (event: KeyboardEvent) => {
    if ((event.key === "Enter" || event.key === ",") && typed.trim()) {
      event.preventDefault();
      add();
    } else if (event.key === "Backspace" && !typed && values.length) choose(values.slice(0, -1));
  };
  const listId = suggestions.length && id ? `${id}-list` : undefined;
  return (
    <div class="input chips">
      {values.map((value, index) => (
        <span class="chip" key={`${index}${value}`}>
          <span title={value}>{value}</span>
          {!disabled && (
            <button
              type="button"
              aria-label={`Remove ${value}`}
              onClick={() => choose(values.filter((_, at) => at !== index))}
            >
              <Icon name="close" size={11} />
            </button>
          )}
        </span>
      ))}
      <input
        id={id}
        value={typed}
        disabled={disabled}
        aria-label={label}
        list={listId}
        autocomplete="off"
        placeholder={values.length ? "" : (placeholder ?? "Type and press Enter")}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={keys}
        onBlur={add}
      />
      {listId && (
        <datalist id={listId}>
          {suggestions.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
    </div>
  );
}
