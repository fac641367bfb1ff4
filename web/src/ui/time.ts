const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "3 minutes ago". */
export function ago(moment: string, now = Date.now()): string {
  const seconds = (new Date(moment).getTime() - now) / 1000;
  if (Number.isNaN(seconds)) return moment;
  const found = STEPS.find(([, length]) => Math.abs(seconds) >= length);
  return found ? words.format(Math.round(seconds / found[1]), found[0]) : "just now";
}

export const moment = (text: string) =>
  new Date(text).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });
