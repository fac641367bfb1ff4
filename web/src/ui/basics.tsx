import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon, type IconName } from "./Icon";
import { type Take, useChosen } from "./useChosen";
import { Sentence } from "./Words";

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type" | "class" | "disabled"> & {
  kind?: "primary" | "quiet" | "danger" | "plain";
  small?: boolean;
  icon?: IconName;
  busy?: boolean;
  disabled?: boolean;
  type?: "button" | "submit";
  class?: string;
};

/** A busy button takes no clicks, but keeps the focus: whoever works with the keyboard stays where they are. */
export function Button({
  kind = "plain",
  small,
  icon,
  busy,
  disabled,
  onClick,
  children,
  class: extra,
  ...rest
}: ButtonProps) {
  const classes = ["button", kind, small && "small", !children && "icon", extra].filter(Boolean).join(" ");
  return (
    <button
      type="button"
      {...rest}
      class={classes}
      disabled={disabled}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy ? <span class="spinner" /> : icon && <Icon name={icon} size={small ? 14 : 16} />}
      {children}
    </button>
  );
}

export function Badge({
  kind,
  children,
  title,
}: {
  kind?: "error" | "warning" | "success" | "accent";
  children: ComponentChildren;
  title?: string;
}) {
  return (
    <span class={`badge ${kind ?? ""}`} title={title}>
      {children}
    </span>
  );
}

export function Notice({
  kind,
  icon,
  children,
}: {
  kind?: "warning" | "error" | "accent";
  icon?: IconName;
  children: ComponentChildren;
}) {
  const name = icon ?? (kind === "warning" || kind === "error" ? "alert" : "info");
  return (
    <div class={`notice ${kind ?? ""}`} role={kind === "error" ? "alert" : undefined}>
      <Icon name={name} size={15} />
      <div class="grow">{children}</div>
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
  actions,
}: {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
  actions?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <Icon name={icon} size={30} />
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {actions && <div class="row">{actions}</div>}
    </div>
  );
}

/** A switch; it shows at once what its user chose. */
export function Switch({
  checked,
  onChange,
  label,
  disabled,
  id,
}: {
  checked: boolean;
  onChange: Take<boolean>;
  label?: string;
  disabled?: boolean;
  id?: string;
}) {
  const [isOn, choose] = useChosen(checked, onChange);
  return (
    <span class="switch">
      <input
        type="checkbox"
        role="switch"
        id={id}
        aria-label={label}
        checked={isOn}
        disabled={disabled}
        onChange={(event) => choose(event.currentTarget.checked)}
      />
      <span />
    </span>
  );
}

/** A labelled control of a dialog; `children` gets the id that its label points to. */
export function Labelled({
  label,
  help,
  fault,
  needed,
  children,
}: {
  label: string;
  help?: ComponentChildren;
  fault?: string | null;
  needed?: boolean;
  children: (id: string) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
        {needed && <span class="needed">required</span>}
      </label>
      {children(id)}
      {fault && (
        <p class="fault" role="alert">
          <Icon name="alert" size={13} />
          <span>
            <Sentence text={fault} />
          </span>
        </p>
      )}
      {help && <p class="help">{help}</p>}
    </div>
  );
}

export function Segments<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: T;
  options: { value: T; title: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          type="button"
          key={option.value}
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.title}
        </button>
      ))}
    </div>
  );
}

export interface Tab<T extends string> {
  value: T;
  title: string;
  badge?: ComponentChildren;
}

export function Tabs<T extends string>({
  label,
  value,
  tabs,
  onChange,
}: {
  label: string;
  value: T;
  tabs: Tab<T>[];
  onChange: (value: T) => void;
}) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [value]);
  const move = (event: KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    const at = tabs.findIndex((tab) => tab.value === value);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (next) onChange(next.value);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus());
  };
  return (
    <div class="tabs" ref={list} role="tablist" aria-label={label} onKeyDown={move}>
      {tabs.map((tab) => (
        <button
          type="button"
          key={tab.value}
          role="tab"
          aria-selected={tab.value === value}
          tabIndex={tab.value === value ? 0 : -1}
          onClick={() => onChange(tab.value)}
        >
          {tab.title}
          {tab.badge}
        </button>
      ))}
    </div>
  );
}

export function Dialog({
  title,
  onClose,
  children,
  foot,
  wide,
  onSubmit,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  foot?: ComponentChildren;
  wide?: boolean;
  onSubmit?: () => void;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>("[autofocus]")?.focus();
    return () => {
      dialog?.close();
      // Back to what opened it, when that is still there.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit?.();
  };
  return (
    <dialog
      ref={ref}
      class={wide ? "wide" : ""}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === ref.current && onClose()}
    >
      <form method="dialog" onSubmit={submit} style={{ display: "contents" }}>
        <header class="dialog-head">
          <h2>{title}</h2>
          <Button kind="quiet" icon="close" aria-label="Close" onClick={onClose} />
        </header>
        <div class="dialog-body">{children}</div>
        {foot && <footer class="dialog-foot">{foot}</footer>}
      </form>
    </dialog>
  );
}
