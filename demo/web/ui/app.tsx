import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Credits } from "./credits.tsx";
import { Engine } from "./engine.tsx";
import { Judge } from "./judge.tsx";
import { Keep } from "./keep.tsx";
import { Own } from "./own.tsx";
import { Progress } from "./progress.tsx";
import { language, languages, text, theme, themes } from "./settings.ts";
import { StartupErrorScreen } from "./startupError.tsx";
import { notice, opening, spoken } from "./state.ts";

const screens = { judge: Judge, progress: Progress, own: Own, engine: Engine, keep: Keep, credits: Credits };
type Screen = keyof typeof screens;
const inMenu = ["judge", "progress", "own", "engine", "keep"] as const satisfies readonly Screen[];

const nameOf = (hash: string): Screen => (Object.hasOwn(screens, hash.slice(1)) ? (hash.slice(1) as Screen) : "judge");
const screen = signal<Screen>(nameOf(location.hash));

export function App() {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    const onHash = () => {
      screen.value = nameOf(location.hash);
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    };
    // It may have changed before anyone listened.
    screen.value = nameOf(location.hash);
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  const t = text.value;
  const Current = screens[screen.value];
  useEffect(() => {
    document.title = screen.value === "judge" ? "handgrad" : `${titleOf(screen.value)} · handgrad`;
  });
  return (
    <>
      <button type="button" class="skip-link" onClick={() => main.current?.focus()}>
        {t.skipLink}
      </button>
      <Header />
      <Notice />
      <main ref={main} tabIndex={-1} id="content" class={`on-${screen.value}`}>
        {screen.value === "credits" ? <Credits /> : <Opened>{<Current />}</Opened>}
      </main>
      <Footer />
      <p class="unseen" aria-live="polite">
        {spoken.value}
      </p>
    </>
  );
}

const titleOf = (name: Screen): string => (name === "credits" ? text.value.credits.title : text.value.nav[name]);

/** Its content, once the worker is ready; until then, what there is to wait for or to do. */
function Opened({ children }: { children: ComponentChildren }) {
  const state = opening.value;
  if (state === null)
    return (
      <>
        <p class="lead">{text.value.lead}</p>
        <p class="loading" role="status">
          {text.value.loading}
        </p>
      </>
    );
  if (!state.ok) return <StartupErrorScreen startupError={state.startupError} message={state.message} />;
  return <>{children}</>;
}

function Header() {
  const t = text.value;
  return (
    <header>
      <a class="mark" href="#judge">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M6 17.5l7 7L26 8" />
        </svg>
        handgrad
      </a>
      <nav aria-label={t.nav.label}>
        {inMenu.map((name) => (
          <a key={name} href={`#${name}`} aria-current={screen.value === name ? "page" : undefined}>
            {t.nav[name]}
          </a>
        ))}
      </nav>
      <div class="preferences">
        <select
          aria-label={t.language}
          value={language.value}
          onChange={(event) => {
            language.value = event.currentTarget.value;
          }}
        >
          {Object.entries(languages).map(([code, { name }]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
        <select
          aria-label={t.theme.label}
          value={theme.value}
          onChange={(event) => {
            theme.value = event.currentTarget.value as (typeof themes)[number];
          }}
        >
          {themes.map((name) => (
            <option key={name} value={name}>
              {t.theme[name]}
            </option>
          ))}
        </select>
      </div>
    </header>
  );
}

function Notice() {
  const shown = notice.value;
  return (
    <div class="notices" role="status">
      {shown && (
        <p class={`notice ${shown.kind}`}>
          <span>{shown.text}</span>
          <button
            type="button"
            class="quiet"
            onClick={() => {
              notice.value = null;
            }}
          >
            {text.value.notices.close}
          </button>
        </p>
      )}
    </div>
  );
}

function Footer() {
  const t = text.value.footer;
  return (
    <footer>
      <p>{t.privacy}</p>
      <p>
        {t.menardi} · <a href="#credits">{t.credits}</a>
      </p>
      <p>{t.code}</p>
    </footer>
  );
}
