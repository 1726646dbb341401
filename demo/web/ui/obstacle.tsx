import type { Obstacle } from "../shared/protocol.ts";
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
export function ObstacleScreen({ obstacle, message }: { obstacle: Obstacle; message: string }) {
  const t = text.value.obstacle;
  const { title, text: about } = t[obstacle];
  const others = (["chrome", "firefox", "safari", "other"] as const).filter((name) => name !== browser);
  return (
    <section class="obstacle">
      <h1>{title}</h1>
      <p>{about}</p>
      {(obstacle === "no-webgpu" || obstacle === "no-adapter") && (
        <ul>
          <li>
            <strong>{t.browsers[browser]}</strong>
          </li>
          {others.map((name) => (
            <li key={name}>{t.browsers[name]}</li>
          ))}
        </ul>
      )}
      {obstacle !== "no-webgpu" && obstacle !== "other-tab" && <pre>{message}</pre>}
      <button type="button" class="right" onClick={() => open()}>
        {t.retry}
      </button>
    </section>
  );
}
