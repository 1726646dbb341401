import { computed, effect, signal } from "@preact/signals";
import { en, type Text } from "../text/en.ts";
import { zh } from "../text/zh.ts";

/* What a person sets: language, theme, keys. Kept in localStorage, which holds nothing else of this page. */

const STORAGE = "handgrad";

export const languages: Readonly<Record<string, Text>> = { en, zh };
export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

/** What keys are for; the digits are the classes'. */
export const actions = ["right", "wrong", "skip", "undo", "play"] as const;
export type Action = (typeof actions)[number];
export type Keys = Readonly<Record<Action, string>>;
export const defaultKeys: Keys = { right: "ArrowRight", wrong: "ArrowLeft", skip: "s", undo: "z", play: " " };

interface Stored {
  language: string;
  theme: Theme;
  keys: Keys;
  autoPlay: boolean;
  why: boolean;
  noise: number;
}

/** The share of mistakes that the slider goes up to. */
export const MOST_NOISE = 0.4;

/** An object that anyone may have put there; empty where there is none, or the browser gives no storage. */
function stored(): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(localStorage.getItem(STORAGE) ?? "{}"));
  } catch {
    return {};
  }
}

const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

/** Those keys that are keys, and no two the same. */
function keysFrom(value: unknown): Keys {
  const found = objectOf(value);
  const chosen = Object.fromEntries(
    actions.map((action) => {
      const key = Object.hasOwn(found, action) ? found[action] : undefined;
      return [action, typeof key === "string" && key !== "" && !/^\d$/.test(key) ? key : defaultKeys[action]];
    }),
  ) as Record<Action, string>;
  const isDistinct = new Set(Object.values(chosen).map((key) => key.toLowerCase())).size === actions.length;
  return isDistinct ? chosen : defaultKeys;
}

const found = stored();
export const language = signal(
  typeof found.language === "string" && Object.hasOwn(languages, found.language)
    ? found.language
    : navigator.language.startsWith("zh")
      ? "zh"
      : "en",
);
export const theme = signal<Theme>(themes.find((name) => name === found.theme) ?? "auto");
export const keys = signal<Keys>(keysFrom(found.keys));
export const autoPlay = signal(found.autoPlay === true);
/** Whether answers are explained. */
export const why = signal(found.why === true);
export const noise = signal(typeof found.noise === "number" ? Math.min(MOST_NOISE, Math.max(0, found.noise)) : 0);

export const text = computed(() => languages[language.value]!);

let forgetting = false;
effect(() => {
  const all: Stored = {
    language: language.value,
    theme: theme.value,
    keys: keys.value,
    autoPlay: autoPlay.value,
    why: why.value,
    noise: noise.value,
  };
  try {
    if (!forgetting) localStorage.setItem(STORAGE, JSON.stringify(all));
  } catch {
    // No room, or no storage: what is set holds until the page is closed, and nothing else hangs on it.
  }
});

export function forgetSettings(): void {
  forgetting = true;
  try {
    localStorage.removeItem(STORAGE);
  } catch {
    // Then there is nothing in it.
  }
}

effect(() => {
  const root = document.documentElement;
  root.lang = language.value;
  if (theme.value === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme.value;
});

/** Whether the page is dark now: what is drawn on canvases is drawn again when it changes. */
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const system = signal(systemDark.matches);
systemDark.addEventListener("change", () => {
  system.value = systemDark.matches;
});
export const dark = computed(() => (theme.value === "auto" ? system.value : theme.value === "dark"));

/** A key's name as it stands on a button. */
export function keyName(key: string): string {
  const names: Record<string, string> = {
    ArrowRight: "→",
    ArrowLeft: "←",
    ArrowUp: "↑",
    ArrowDown: "↓",
    " ": language.value === "zh" ? "空格" : "Space",
    Enter: "↵",
    Backspace: "⌫",
  };
  return (Object.hasOwn(names, key) ? names[key] : undefined) ?? (key.length === 1 ? key.toUpperCase() : key);
}
