/** The little Markdown of our explanations as elements: text is never read as HTML. */
export function markdown(text: string): HTMLElement {
  const box = document.createElement("div");
  box.className = "explanation";
  for (const block of text.split(/\n{2,}/)) {
    const fenced = /^```\w*\n([\s\S]*?)\n?```$/.exec(block.trim());
    const element = document.createElement(fenced ? "pre" : "p");
    if (fenced) element.textContent = fenced[1] ?? "";
    else appendInline(element, block.replace(/^#+\s*/, "").replaceAll("\n", " "));
    box.append(element);
  }
  return box;
}

function appendInline(parent: HTMLElement, text: string): void {
  for (const piece of text.split(/(`[^`]+`|\*\*[^*]+\*\*)/)) {
    const tag = piece.startsWith("`") ? "code" : piece.startsWith("**") ? "strong" : null;
    if (!tag) {
      parent.append(piece);
      continue;
    }
    const element = document.createElement(tag);
    element.textContent = piece.replace(/^(`|\*\*)|(`|\*\*)$/g, "");
    parent.append(element);
  }
}
