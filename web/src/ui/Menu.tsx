import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "./basics";
import { Icon, type IconName } from "./Icon";

export interface MenuItem {
  title: string;
  icon?: IconName;
  danger?: boolean;
  disabled?: boolean;
  hint?: string;
  run: () => void;
}

/** A button that opens a list of things to do. */
export function Menu({
  label,
  items,
  icon = "more",
  small = true,
  kind = "quiet",
  children,
}: {
  label: string;
  items: (MenuItem | null | undefined)[];
  icon?: IconName;
  small?: boolean;
  kind?: "quiet" | "plain" | "primary";
  children?: ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const close = () => {
    setOpen(false);
    anchor.current?.querySelector("button")?.focus();
  };
  useLayoutEffect(() => {
    if (!isOpen || !list.current || !anchor.current) return;
    const box = anchor.current.getBoundingClientRect();
    const { style, offsetWidth, offsetHeight } = list.current;
    const below = box.bottom + 4 + offsetHeight < innerHeight;
    style.left = `${Math.max(8, Math.min(box.left, innerWidth - offsetWidth - 8))}px`;
    style.top = `${below ? box.bottom + 4 : Math.max(8, box.top - offsetHeight - 4)}px`;
    list.current.querySelector<HTMLElement>("button:not(:disabled)")?.focus();
  }, [isOpen]);
  useEffect(() => {
    if (!isOpen) return;
    const away = (event: Event) => {
      if (event.target instanceof Node && !anchor.current?.contains(event.target)) setOpen(false);
    };
    addEventListener("mousedown", away);
    addEventListener("resize", away);
    return () => {
      removeEventListener("mousedown", away);
      removeEventListener("resize", away);
    };
  }, [isOpen]);
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault();
      close();
    }
    // Who goes on with the keyboard leaves the menu.
    if (event.key === "Tab") setOpen(false);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!step || !list.current) return;
    event.preventDefault();
    const buttons = [...list.current.querySelectorAll<HTMLElement>("button:not(:disabled)")];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  };
  return (
    <span ref={anchor} onKeyDown={isOpen ? keys : undefined}>
      <Button
        kind={kind}
        small={small}
        icon={icon}
        aria-label={children ? undefined : label}
        title={children ? undefined : label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        {children}
      </Button>
      {isOpen && (
        <div ref={list} class="menu" role="menu" aria-label={label}>
          {items.map((item, index) =>
            item === undefined ? null : item ? (
              <button
                type="button"
                role="menuitem"
                key={item.title}
                class={item.danger ? "danger" : ""}
                disabled={item.disabled}
                onClick={() => {
                  close();
                  item.run();
                }}
              >
                {item.icon && <Icon name={item.icon} size={15} />}
                <span class="grow">{item.title}</span>
                {item.hint && <span class="muted small">{item.hint}</span>}
              </button>
            ) : (
              <hr key={index} />
            ),
          )}
        </div>
      )}
    </span>
  );
}
