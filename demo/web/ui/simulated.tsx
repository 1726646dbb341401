import { autoPlay, MOST_NOISE, noise, text } from "./settings.ts";
import { api, fail, simulated } from "./state.ts";

/** Hands judging over to a simulated person, who is always called that, and takes it back. */
export function SimulatedJudge() {
  const t = text.value;
  const on = simulated.value;
  const press = () => (on ? api.stop("digits") : api.simulate("digits", noise.value)).catch(fail);
  return (
    <section class="simulated">
      <h2>{t.simulated.title}</h2>
      <p>{t.simulated.about}</p>
      <label>
        <span>
          {t.simulated.noise} <output>{t.percent(noise.value)}</output>
        </span>
        <input
          type="range"
          min="0"
          max={MOST_NOISE}
          step="0.05"
          value={noise.value}
          disabled={on}
          onInput={(event) => {
            noise.value = Number(event.currentTarget.value);
          }}
        />
      </label>
      <button type="button" class={on ? "wrong" : "quiet"} onClick={press} aria-pressed={on}>
        {on ? t.simulated.stop : t.simulated.start}
      </button>
      <label class="check">
        <input
          type="checkbox"
          checked={autoPlay.value}
          onChange={(event) => {
            autoPlay.value = event.currentTarget.checked;
          }}
        />
        {t.judge.autoPlay}
      </label>
    </section>
  );
}
