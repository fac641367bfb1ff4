import { computed, effect, signal } from "@preact/signals";
import { storedSignal } from "./stored";

export type Theme = "system" | "light" | "dark";

export const theme = storedSignal<Theme>("theme", "system");

const media = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(media.matches);
media.addEventListener("change", (event) => (systemIsDark.value = event.matches));

export const isDark = computed(() => theme.value === "dark" || (theme.value === "system" && systemIsDark.value));

effect(() => {
  document.documentElement.dataset.theme = isDark.value ? "dark" : "light";
});

export function nextTheme(): void {
  theme.value = isDark.value ? "light" : "dark";
}
