import { useState } from "preact/hooks";
import type { Json, Path } from "../api/types";
import { blank, componentName, type Schema } from "../document/schema";
import { addItem, duplicateItem, moveItem, removeItem } from "../document/edits";
import { starterOf } from "../document/starters";
import { isObject, isWithin } from "../document/walk";
import { titleOfComponent } from "../document/words";
import { target } from "../state/view";
import { Button } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { Menu, type MenuItem } from "../ui/Menu";
import { Chips } from "./Chips";
import { ComponentBody } from "./ComponentBody";
import { useForm } from "./context";
import { Faults } from "./Field";
import { PLACEHOLDERS } from "./layouts";
import { typedValue } from "./variant";
import { YamlInPlace } from "./YamlInPlace";

interface Props {
  id: string;
  path: Path;
  at: Path;
  schema: Schema;
  value: Json | undefined;
  label: string;
  placeholder?: string;
}

/** A list: of texts as chips, of components as cards in their order. */
export function ListField({ id, path, at, schema, value, label, placeholder }: Props) {
  const { project, book, readOnly } = useForm();
  const items = Array.isArray(value) ? value : [];
  /** The item that was just added, which is shown open. */
  const [added, setAdded] = useState<number | null>(null);
  const variants = schema.items ? book.variants(schema.items) : [];
  const components = variants.filter((variant) => variant.type === "object" && variant.properties);
  const itemIsNumber = variants.some((variant) => variant.type === "integer" || variant.type === "number");
  const isFlat = items.every((item) => typeof item === "string" || typeof item === "number");
  const isPrimaryKey = variants.some((variant) => variant.type === "array");
  if (!components.length && isFlat) {
    const read = (text: string): Json => (itemIsNumber && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);
    const key = String(path.at(-1) ?? "");
    return (
      <Chips
        id={id}
        label={label}
        values={items.map(String)}
        disabled={readOnly}
        suggestions={key === "stream_names" ? project.analysis.value.outline.streams.map((one) => one.name) : []}
        placeholder={placeholder ?? PLACEHOLDERS[key]}
        onChange={(texts) =>
          project.set(
            at,
            isPrimaryKey && texts.some((text) => text.includes("/"))
              ? texts.map((text) => text.split("/"))
              : texts.map(read),
          )
        }
      />
    );
  }
  if (!components.length) {
    const isPaths = items.every((item) => Array.isArray(item) && item.every((step) => typeof step === "string"));
    if (!isPaths) return <YamlInPlace path={at} label={label} />;
    return (
      <Chips
        id={id}
        label={label}
        values={items.map((item) => (item as string[]).join(" / "))}
        disabled={readOnly}
        placeholder="a / b"
        onChange={(texts) =>
          project.set(
            at,
            texts.map((text) => text.split("/").map((step) => step.trim())),
          )
        }
      />
    );
  }
  const add = (variant: Schema) => {
    const made = starterOf(componentName(variant) ?? "") ?? blank(book, variant);
    setAdded(items.length);
    void project.edit(addItem(at, made), `Add to ${label}`);
  };
  const only = components.length === 1 ? components[0] : undefined;
  return (
    <div class="stack tight">
      {items.map((item, index) => (
        <Item
          key={index}
          path={[...path, index]}
          at={[...at, index]}
          schema={schema.items ?? {}}
          value={item}
          count={items.length}
          isNew={index === added}
        />
      ))}
      {!readOnly && (
        <div>
          {only ? (
            <Button small icon="plus" onClick={() => add(only)}>
              Add
            </Button>
          ) : (
            <Menu
              label={`Add to ${label}`}
              icon="plus"
              kind="plain"
              items={components.map((one): MenuItem => ({
                title: titleOfComponent(componentName(one) ?? "Item"),
                run: () => add(one),
              }))}
            >
              Add
            </Menu>
          )}
        </div>
      )}
    </div>
  );
}

/** A few words that tell one component of a list from its neighbours. */
function summaryOf(value: Json): string {
  if (!isObject(value)) return typeof value === "string" ? value : "";
  const parts = Object.entries(value).filter(([key]) => key !== "type" && key !== "$parameters");
  const words = parts.flatMap(([key, item]) =>
    typeof item === "string" || typeof item === "number"
      ? [String(item)]
      : Array.isArray(item) && item.length && item.every((one) => typeof one !== "object")
        ? [item.join(", ")]
        : Array.isArray(item)
          ? [`${item.length} ${key}`]
          : [],
  );
  return words.slice(0, 2).join(" · ");
}

function Item({
  path,
  at,
  schema,
  value,
  count,
  isNew,
}: {
  path: Path;
  at: Path;
  schema: Schema;
  value: Json;
  count: number;
  isNew: boolean;
}) {
  const { project, book, readOnly } = useForm();
  const node = project.node(path);
  const variant = book.variantOf(schema, typedValue(project, path, node.value));
  const index = Number(at.at(-1));
  const findings = project.findingsWithin(node.at);
  const isWanted = target.value !== null && isWithin(target.value.path, node.at);
  const [isOpen, setOpen] = useState(isNew || isBare(value) || count === 1);
  const [asYaml, setAsYaml] = useState(false);
  const shown = isOpen || isWanted;
  const name =
    isObject(node.value) && typeof node.value.type === "string"
      ? titleOfComponent(node.value.type)
      : `Item ${index + 1}`;
  const item = { at, value, count };
  const move = (by: number) => void project.edit(moveItem(item, by), `Move ${name}`);
  return (
    <div class="card" data-path={node.at.join(".")}>
      <div class="card-head">
        <button type="button" class="card-title" aria-expanded={shown} onClick={() => setOpen(!shown)}>
          <Icon name={shown ? "down" : "right"} size={14} />
          <span>{name}</span>
          {!shown && <span class="muted clip small">{summaryOf(value)}</span>}
          {!shown && findings.length > 0 && <Icon name="alert" size={14} />}
        </button>
        {!readOnly && (
          <span class="row tools">
            <Button
              kind="quiet"
              small
              icon="up"
              aria-label={`Move ${name} up`}
              disabled={index === 0}
              onClick={() => move(-1)}
            />
            <Button
              kind="quiet"
              small
              icon="down"
              aria-label={`Move ${name} down`}
              disabled={index === count - 1}
              onClick={() => move(1)}
            />
            <Menu
              label={`More for ${name}`}
              items={[
                {
                  title: asYaml ? "Show as form" : "Edit as YAML",
                  icon: "code",
                  run: () => {
                    setAsYaml(!asYaml);
                    setOpen(true);
                  },
                },
                {
                  title: "Duplicate",
                  icon: "copy",
                  run: () => void project.edit(duplicateItem(item), `Duplicate ${name}`),
                },
                {
                  title: "Remove",
                  icon: "trash",
                  danger: true,
                  run: () => void project.edit(removeItem(item), `Remove ${index}`),
                },
              ]}
            />
          </span>
        )}
      </div>
      {shown && (
        <div class="card-body">
          <Faults findings={project.findingsAt(node.at)} />
          {asYaml || !variant ? (
            <YamlInPlace path={node.at} label={name} onClose={variant ? () => setAsYaml(false) : undefined} />
          ) : (
            <ComponentBody path={path} at={node.at} schema={variant} value={node.value} label={name} flat />
          )}
        </div>
      )}
    </div>
  );
}

const isBare = (value: Json) => isObject(value) && Object.keys(value).length <= 2;
