import type { Explanation, Shown } from "../shared/protocol.ts";
import { Canvas } from "./canvas.tsx";
import { colorOf, drawPicture, drawSpectrogram, drawWave } from "./draw.ts";
import { keyName, keys, text } from "./settings.ts";
import { play, playing } from "./sound.ts";

/** An example as a person is shown it: the picture, the sound and the words; with `why`, what counted in each. */
export function Viewer({ shown, why }: { shown: Shown; why?: Explanation | undefined }) {
  return (
    <div class="viewer">
      <Sees shown={shown} why={why} />
      <Hears shown={shown} why={why} />
      <Reads shown={shown} why={why} />
    </div>
  );
}

function Sees({ shown: { picture, clean }, why }: { shown: Shown; why?: Explanation | undefined }) {
  const t = text.value.judge;
  const heat = why?.pixels ?? undefined;
  return (
    <section class="sees">
      <h2>{t.sees}</h2>
      {picture === null ? (
        <p class="nothing">{t.noPicture}</p>
      ) : (
        <div class="pictures">
          <Canvas
            class="picture"
            label={t.pictureLabel}
            by={[picture, heat]}
            draw={(canvas) =>
              drawPicture(canvas, picture, heat && { data: heat.data, color: colorOf(canvas, "border-top-color") })
            }
          />
          {clean && (
            <figure>
              <Canvas class="clean" label={t.beforeLabel} by={[clean]} draw={(canvas) => drawPicture(canvas, clean)} />
              <figcaption>{t.before}</figcaption>
            </figure>
          )}
        </div>
      )}
    </section>
  );
}

function Hears({ shown: { sound, spectrogram }, why }: { shown: Shown; why?: Explanation | undefined }) {
  const t = text.value.judge;
  return (
    <section class="hears">
      <h2>{t.hears}</h2>
      {sound === null || spectrogram === null ? (
        <p class="nothing">{t.noSound}</p>
      ) : (
        <>
          <Canvas
            class="wave"
            label={t.waveLabel(sound.samples.length / sound.rate)}
            by={[sound]}
            draw={(canvas) => drawWave(canvas, sound)}
          />
          <Canvas
            class="spectrogram"
            label={t.spectrumLabel(spectrogram.frames, spectrogram.bands)}
            by={[spectrogram, why]}
            draw={(canvas) => drawSpectrogram(canvas, spectrogram, why?.frames ?? undefined)}
          />
          <button type="button" class="quiet" onClick={() => play(sound)}>
            <span aria-hidden="true">{playing.value === sound ? "◼" : "▶"}</span>{" "}
            {playing.value === sound ? t.playing : t.play} <kbd>{keyName(keys.value.play)}</kbd>
          </button>
        </>
      )}
    </section>
  );
}

function Reads({ shown: { words }, why }: { shown: Shown; why?: Explanation | undefined }) {
  const t = text.value.judge;
  return (
    <section class="reads">
      <h2>{t.reads}</h2>
      {words.length === 0 ? (
        <p class="nothing">{t.noHint}</p>
      ) : (
        <p class="hint">
          {words.map((word, i) => (
            <>
              {i > 0 && " "}
              <span class={weightOf(why?.words?.[i])}>{word}</span>
            </>
          ))}
        </p>
      )}
    </section>
  );
}

/** How strongly a word is underlined, in four steps, so that the style sheet says how that looks. */
const weightOf = (share: number | undefined) => (share === undefined ? "" : `weight${Math.round(3 * share)}`);
