import { useEffect } from "preact/hooks";
import type { OpenProject } from "../state/project";
import { mode } from "../state/view";
import { signal } from "@preact/signals";
import { testing } from "../test/store";
import { Dialog } from "../ui/basics";

export const showsHotKeys = signal(false);

/** Inputs that no text is typed into. */
const CHOICES = ["checkbox", "radio", "file"];

const isTyping = () => {
  const focused = document.activeElement;
  return (
    (focused instanceof HTMLInputElement && !CHOICES.includes(focused.type)) ||
    focused instanceof HTMLTextAreaElement ||
    (focused instanceof HTMLElement && focused.isContentEditable)
  );
};

/** A field gives up what was typed into it as if it were left. */
function takeTyped(): void {
  if (isTyping()) document.activeElement?.dispatchEvent(new FocusEvent("blur"));
}

export function useHotKeys(project: OpenProject): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (document.querySelector("dialog[open]")) return;
      const key = event.key.toLowerCase();
      if (event.key === "?" && !isTyping()) showsHotKeys.value = true;
      if (!event.ctrlKey && !event.metaKey) return;
      const run = (work: () => void) => {
        event.preventDefault();
        work();
      };
      if (key === "enter" && !document.activeElement?.closest(".code-field")) {
        run(() => {
          const store = testing(project);
          if (store.isRunning.value) return;
          takeTyped();
          void store.test();
        });
      } else if (key === "s")
        run(() => {
          takeTyped();
          void project.save();
        });
      else if (key === "e" && event.shiftKey) run(() => (mode.value = mode.value === "form" ? "yaml" : "form"));
      else if (!isTyping() && (key === "z" || key === "y"))
        run(() => {
          // As the buttons: not while another window's draft, or nobody's, is the one to undo.
          if (project.isReadOnly.value) return;
          void (key === "y" || event.shiftKey ? project.redo() : project.undo());
        });
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [project]);
}

const KEYS: [string, string][] = [
  ["Ctrl Enter", "Test the stream"],
  ["Ctrl Shift E", "Change between form and YAML"],
  ["Ctrl Z", "Undo"],
  ["Ctrl Shift Z", "Redo"],
  ["Ctrl S", "Save now (it is saved by itself, too)"],
  ["Ctrl F", "Find in the YAML"],
  ["Ctrl Space", "Complete in the YAML"],
  ["?", "This list"],
];

export function HotKeysDialog() {
  if (!showsHotKeys.value) return null;
  return (
    <Dialog title="Hot keys" onClose={() => (showsHotKeys.value = false)}>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
