/** Literals that look like keys, which do not belong into a manifest. */

const TELLING_KEY = /(^|_)(token|secret|password|passwd|api_?key|apikey|access_key|private_key|authorization|auth)s?$/i;
const KNOWN_FORM = /^(sk-|pk_|sk_|ghp_|gho_|xox[abp]-|AKIA|eyJ|Bearer\s+\S{8,}|Basic\s+\S{8,})/;
/** Keys that end like a secret and name something else. */
const HARMLESS_KEY = /(page|next|partition|refresh)_?(token|key)_?(option|path|name|field)?$|parent_key$|primary_key$/i;
/** Not a secret, though long: words, addresses, dates, templates. */
const HARMLESS_TEXT = /\{\{|^https?:|\s|^[a-z_.-]+$|^[\d:.TZ%/-]+$|^\/|%[YmdHsS]/;

const bitsOf = (text: string): number => {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
};

/** Whether the text under `key` is a secret that was written into the manifest. */
export function looksLikeSecret(key: string, text: string): boolean {
  const literal = text.trim();
  if (literal.includes("{{") || literal.length < 6) return false;
  if (KNOWN_FORM.test(literal)) return true;
  if (TELLING_KEY.test(key) && !HARMLESS_KEY.test(key))
    return !/\s/.test(literal.replace(/^(Bearer|Basic|Token)\s+/, ""));
  return (
    literal.length >= 20 &&
    !HARMLESS_TEXT.test(literal) &&
    /\d/.test(literal) &&
    /[a-zA-Z]/.test(literal) &&
    bitsOf(literal) > 3.4
  );
}
