import type { Effect, TaskName } from "../shared/protocol.ts";
import { Canvas } from "./canvas.tsx";
import { drawPicture } from "./draw.ts";
import { text } from "./settings.ts";
import { classesOf, tasks } from "./state.ts";
import { followed, type Taught } from "./taught.ts";

/** The person's latest judgements, the newest first: what each said, and what learning from it did to that answer. */
export function TaughtView({ task }: { task: TaskName }) {
  const t = text.value.taught;
  const taught = tasks[task].taught.value;
  const effects = tasks[task].effects.value;
  return (
    <section class="taught">
      <h2>{t.title}</h2>
      {taught.length === 0 && <p class="soft">{t.none}</p>}
      <ul>
        {taught.map((one) => (
          <TaughtItem key={one.example} one={one} classes={classesOf(task)} />
        ))}
      </ul>
      {/* One sentence for each update, and not one for each of its judgements. */}
      <p class="soft" role="status" data-test="learned">
        {effects.length > 0 && t.summary(effects.length, effects.filter(followed).length)}
      </p>
    </section>
  );
}

function TaughtItem({ one, classes }: { one: Taught; classes: readonly string[] }) {
  const t = text.value;
  const { picture, words, approved, effect } = one;
  const name = classes[one.class]!;
  return (
    <li class={effect ? "" : "waiting"}>
      {picture && (
        <Canvas
          class="thumb"
          label={t.judge.pictureLabel}
          by={[picture]}
          draw={(canvas) => drawPicture(canvas, picture)}
        />
      )}
      {!picture && words.length > 0 && <em>{words.join(" ")}</em>}
      <span>
        {t.taught.said(name, approved)}
        <b>{effect ? moved(effect) : t.taught.waits}</b>
      </span>
    </li>
  );
}

function moved({ before, after }: Effect): string {
  const t = text.value;
  const [was, is] = [t.percent(before), t.percent(after)];
  return was === is ? t.taught.unmoved(is) : t.taught.moved(was, is);
}
