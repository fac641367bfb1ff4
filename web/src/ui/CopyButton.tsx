import { Button } from "./basics";

/** Puts a text where it can be pasted from; `label` says which. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  return (
    <Button
      kind="quiet"
      small
      icon="copy"
      aria-label={label}
      title={label}
      onClick={() => void navigator.clipboard?.writeText(text)}
    />
  );
}
