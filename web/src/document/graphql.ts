const PAIRS: Record<string, string> = { "}": "{", ")": "(", "]": "[" };

/** What is wrong with the brackets and quotes of a GraphQL query; templates in it are passed over. */
export function graphqlFault(query: string): string | null {
  const text = query
    .replaceAll(/\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g, "x")
    .replaceAll(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"/g, "s")
    .replaceAll(/#.*/g, "");
  if (text.includes('"')) return "A quote is not closed.";
  const open: string[] = [];
  for (const char of text) {
    if ("{([".includes(char)) open.push(char);
    else if (char in PAIRS && open.pop() !== PAIRS[char]) return `“${char}” closes nothing.`;
  }
  if (open.length) return `“${open.at(-1)}” is not closed.`;
  return /\{\s*\}/.test(text) ? "A selection is empty." : null;
}
