import type { Displayed, Standing, TaskName } from "../shared/protocol.ts";
import { Canvas } from "./canvas.tsx";
import { drawPicture } from "./draw.ts";
import { text } from "./settings.ts";
import { classesOf, tasks } from "./state.ts";

/** Of fewer examples a share says too little: its interval is as wide as 35 points. */
const ENOUGH = 30;

/** How right the network is, as far as that can be said, in words. */
export function accuracyText({ accuracy: { right, of, low, high } }: Standing): string {
  const t = text.value;
  return of < ENOUGH
    ? t.standing.few(right, of, t.percent(low), t.percent(high))
    : t.standing.accuracy(t.percent(right / of, 1), of, t.percent(low), t.percent(high));
}

/** How good the network is that answers. */
export function StandingView({ standing }: { standing: Standing | null }) {
  return (
    <>
      <p data-test="accuracy">{standing ? accuracyText(standing) : text.value.judge.measuring}</p>
      {standing && <Learning standing={standing} />}
    </>
  );
}

/** Whether it became better, and what is held back. */
export function Learning({ standing: { progress, held, judgements } }: { standing: Standing }) {
  const t = text.value.standing;
  return (
    <>
      {progress && (
        <p class="soft" data-test="progress">
          {t.progress[progress.verdict](t.time(progress.judgements), progress.gained, progress.lost)}
        </p>
      )}
      <div role="status" data-test="held">
        {held && (
          <p class="held">
            {t.held(text.value.percent(held.accuracy.right / held.accuracy.of, 1), t.time(judgements))}
          </p>
        )}
      </div>
    </>
  );
}

/** Held-out examples that stay in view, and what became of the answers to them. */
export function Display({ task }: { task: TaskName }) {
  const t = text.value.standing;
  const standing = tasks[task].standing.value;
  if (!standing || standing.display.length === 0) return null;
  const { display, change, accuracy } = standing;
  return (
    <section class="display">
      <h2>{t.display}</h2>
      <p class="soft" data-test="change">
        {change ? t.change(change.gained, change.lost, accuracy.of, change.verdict) : t.displayAbout}
      </p>
      <ul>
        {display.map((example) => (
          <DisplayedItem key={example.id} example={example} classes={classesOf(task)} />
        ))}
      </ul>
    </section>
  );
}

function DisplayedItem({ example, classes }: { example: Displayed; classes: readonly string[] }) {
  const { picture, words, answer, label, before } = example;
  const t = text.value.standing;
  const isRight = answer === label;
  const said = classes[answer]!;
  const formerly = before === null || before === answer ? null : classes[before]!;
  const all = t.item(classes[label]!, said, formerly);
  return (
    <li class={formerly === null ? "" : "changed"} title={all}>
      {picture ? (
        <Canvas class="thumb" label={all} by={[picture]} draw={(canvas) => drawPicture(canvas, picture)} />
      ) : (
        <span class="unseen">{all}</span>
      )}
      {!picture && words.length > 0 && <em aria-hidden="true">{words.join(" ")}</em>}
      <span class={isRight ? "hit" : "miss"} aria-hidden="true">
        {formerly !== null && `${formerly} → `}
        {said} {isRight ? "✓" : "✗"}
      </span>
    </li>
  );
}
