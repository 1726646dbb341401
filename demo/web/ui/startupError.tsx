import type { StartupError } from "../shared/protocol.ts";
import { text } from "./settings.ts";
import { open } from "./state.ts";

const agent = navigator.userAgent;
const browser = /Firefox/.test(agent)
  ? "firefox"
  : /Chrome|Chromium|Edg/.test(agent)
    ? "chrome"
    : /Safari/.test(agent)
      ? "safari"
      : "other";

/** Why the page cannot begin, and what to do about it; where the device is missing, by browser, this one first. */
export function StartupErrorScreen({ startupError, message }: { startupError: StartupError; message: string }) {
  const t = text.value.startupError;
  const { title, text: about } = t[startupError];
  const others = (["chrome", "firefox", "safari", "other"] as const).filter((name) => name !== browser);
  return (
    <section class="startupError">
      <h1>{title}</h1>
      <p>{about}</p>
      {(startupError === "no-webgpu" || startupError === "no-adapter") && (
        <ul>
          <li>
            <strong>{t.browsers[browser]}</strong>
          </li>
          {others.map((name) => (
            <li key={name}>{t.browsers[name]}</li>
          ))}
        </ul>
      )}
      {startupError !== "no-webgpu" && startupError !== "other-tab" && <pre>{message}</pre>}
      <button type="button" class="right" onClick={() => open()}>
        {t.retry}
      </button>
    </section>
  );
}
