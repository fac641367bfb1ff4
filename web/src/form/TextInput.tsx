import { useId, useRef, useState } from "preact/hooks";
import { insertVariable, openTemplate, type Variable } from "../document/variables";
import { Icon } from "../ui/Icon";
import type { Take } from "../ui/useChosen";
import { useDraft } from "./useDraft";

interface Props {
  id?: string;
  value: string;
  onCommit: Take<string>;
  placeholder?: string;
  label?: string;
  wrong?: boolean;
  disabled?: boolean;
  multiline?: boolean;
  code?: boolean;
  list?: string;
  /** What templates can name here; an input without takes no template. */
  variables?: Variable[];
}

/** A line of text that may hold templates: `{{` offers what they can name. */
export function TextInput({ variables = [], multiline, code, wrong, label, ...props }: Props) {
  const { text, type, leave, commit } = useDraft(props.value, props.onCommit);
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState(0);
  const caret = input.current?.selectionStart ?? text.length;
  const word = openTemplate(text, caret)?.word.toLowerCase() ?? "";
  const offered = isOpen ? variables.filter((one) => one.insert.toLowerCase().includes(word)) : [];

  const typed = (event: { currentTarget: HTMLInputElement | HTMLTextAreaElement }) => {
    const { value, selectionStart } = event.currentTarget;
    type(value);
    setOpen(variables.length > 0 && openTemplate(value, selectionStart ?? value.length) !== null);
    setChosen(0);
  };
  const take = (variable: Variable) => {
    const made = insertVariable(text, caret, variable.insert);
    type(made.text);
    setOpen(false);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(made.caret, made.caret);
    });
  };
  const keys = (event: KeyboardEvent) => {
    const variable = offered[chosen];
    if (variable && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setChosen((chosen + (event.key === "ArrowDown" ? 1 : -1) + offered.length) % offered.length);
    } else if (variable && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      take(variable);
    } else if (isOpen && event.key === "Escape") {
      event.stopPropagation();
      setOpen(false);
    } else if (event.key === "Enter" && !multiline) void commit();
  };
  const listId = useId();
  const isOffering = offered.length > 0;
  // The focus stays in the input: only this says what is chosen of the list.
  const offer = variables.length > 0 && {
    "aria-autocomplete": "list",
    "aria-controls": isOffering ? listId : undefined,
    "aria-activedescendant": isOffering ? `${listId}-${chosen}` : undefined,
  } as const;
  // A text of several lines may not be a combobox.
  const combobox = variables.length > 0 && ({ role: "combobox", "aria-expanded": isOffering } as const);
  const shared = {
    ...offer,
    ref: input,
    id: props.id,
    value: text,
    placeholder: props.placeholder,
    disabled: props.disabled,
    "aria-label": label,
    class: `input ${code ? "code" : ""} ${wrong ? "wrong" : ""}`,
    spellcheck: false,
    autocomplete: "off",
    onInput: typed,
    onKeyDown: keys,
    onBlur: () => {
      void leave();
      setTimeout(() => setOpen(false), 150);
    },
    "aria-invalid": wrong || undefined,
  } as const;
  return (
    <div class="template">
      {multiline ? (
        <textarea {...shared} rows={Math.min(12, text.split("\n").length + 1)} />
      ) : (
        <input {...shared} {...combobox} list={props.list} />
      )}
      {variables.length > 0 && !props.disabled && (
        <button
          type="button"
          class="template-insert"
          title="Insert a variable"
          aria-label="Insert a variable"
          tabIndex={-1}
          onMouseDown={(event) => {
            event.preventDefault();
            input.current?.focus();
            setOpen(!isOpen);
            setChosen(0);
          }}
        >
          <Icon name="code" size={13} />
        </button>
      )}
      {isOffering && (
        <ul class="template-list" id={listId} role="listbox" aria-label="Variables">
          {offered.map((variable, index) => (
            <li
              key={variable.insert}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === chosen}
              onMouseDown={(event) => {
                event.preventDefault();
                take(variable);
              }}
            >
              <code>{variable.insert}</code>
              <span class="muted clip">{variable.about}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
