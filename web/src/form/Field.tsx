import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Finding, Path } from "../api/types";
import { pathText, samePath } from "../document/walk";
import { target } from "../state/view";
import { Icon } from "../ui/Icon";
import { Sentence, Words } from "../ui/Words";
import { useForm } from "./context";

/** What the analysis says of a value, with what mends it. */
export function Faults({ findings }: { findings: Finding[] }) {
  const { project } = useForm();
  return (
    <>
      {findings.map((finding, index) => (
        <p key={index} class={`fault ${finding.level}`} role={finding.level === "error" ? "alert" : undefined}>
          <Icon name={finding.level === "note" ? "info" : "alert"} size={13} />
          <span>
            <Sentence text={finding.message} />
            {finding.help && (
              <span class="muted">
                {" "}
                <Sentence text={finding.help} />
              </span>
            )}{" "}
            {finding.fix && (
              <button type="button" class="link" onClick={() => void project.fix(finding)}>
                {finding.fix.label}
              </button>
            )}
          </span>
        </p>
      ))}
    </>
  );
}

interface Props {
  path: Path;
  title: string;
  id?: string;
  help?: string;
  required?: boolean;
  badge?: ComponentChildren;
  tools?: ComponentChildren;
  findings?: Finding[];
  /** Outer: around other fields, its explanation comes first. Inline: a switch beside its name. */
  form?: "plain" | "outer" | "inline";
  children: ComponentChildren;
}

/** A value of the manifest with its name, its explanation, and what is wrong with it. */
export function Field({
  path,
  title,
  id,
  help,
  required,
  badge,
  tools,
  findings = [],
  form = "plain",
  children,
}: Props) {
  const ref = useRef<HTMLDivElement>(null);
  const wanted = target.value;
  useEffect(() => {
    if (wanted && ref.current && samePath(wanted.path, path)) reveal(ref.current);
  }, [wanted]);
  return (
    <div class={`field ${form}`} ref={ref} data-path={pathText(path)}>
      <div class="label">
        <label for={id}>{title}</label>
        {required && (
          <span class="needed" title="Required" aria-label="required">
            *
          </span>
        )}
        {badge}
        {tools && <span class="tools">{tools}</span>}
      </div>
      {form === "outer" && help && (
        <p class="help">
          <Words text={help} />
        </p>
      )}
      {form === "outer" && <Faults findings={findings} />}
      {children}
      {form !== "outer" && <Faults findings={findings} />}
      {form !== "outer" && help && (
        <p class="help">
          <Words text={help} />
        </p>
      )}
    </div>
  );
}

/** Brings an element into sight and puts the focus on its first control. */
function reveal(element: HTMLElement): void {
  element.scrollIntoView({ block: element.offsetHeight > innerHeight / 2 ? "start" : "center" });
  const control = element.querySelector<HTMLElement>("input, textarea, select, .cm-content, button");
  control?.focus({ preventScroll: true });
  element.classList.add("shown");
  setTimeout(() => element.classList.remove("shown"), 1600);
}
