import { signal } from "@preact/signals";
import type { Insight, TaskName, Update } from "../shared/protocol.ts";
import { Canvas } from "./canvas.tsx";
import { AccuracyChart, Chart } from "./chart.tsx";
import { drawPicture } from "./draw.ts";
import { text } from "./settings.ts";
import { api, classesOf, fail, tasks } from "./state.ts";

const insight = signal<Insight | null>(null);
const measuring = signal(false);

async function measure(): Promise<void> {
  measuring.value = true;
  try {
    insight.value = await api.inspect("digits");
  } catch (error) {
    fail(error);
  } finally {
    measuring.value = false;
  }
}

/** How learning went, and what the network can and cannot. */
export function Progress() {
  const t = text.value.progress;
  const { updates, heldOut } = tasks.digits.progress.value;
  const lines: [string, (update: Update) => number, (y: number) => string][] = [
    [t.reward, (u) => u.reward, (y) => y.toFixed(2)],
    [t.entropy, (u) => u.entropy, (y) => y.toFixed(2)],
    [t.kl, (u) => u.kl, (y) => (y === 0 ? "0" : y.toPrecision(2))],
    [t.loss, (u) => u.loss, (y) => y.toFixed(2)],
    [t.step, (u) => u.stepMs, (y) => y.toFixed(0)],
  ];
  return (
    <section class="progress">
      <h1>{t.title}</h1>
      <p class="about">{t.about}</p>
      {updates.length === 0 && <p class="nothing">{t.none}</p>}
      <div class="charts">
        <AccuracyChart points={heldOut} />
        {updates.length > 0 &&
          lines.map(([title, value, format]) => (
            <Chart
              key={title}
              title={title}
              x={updates.map((update) => update.judgements)}
              y={updates.map(value)}
              format={format}
            />
          ))}
      </div>
      <p class="measure">
        <button type="button" class="quiet" onClick={measure} disabled={measuring.value}>
          {measuring.value ? t.measuring : t.measure}
        </button>{" "}
        {insight.value && <span>{t.examples(insight.value.examples)}</span>}
      </p>
      {insight.value && <InsightView task="digits" insight={insight.value} />}
    </section>
  );
}

function InsightView({ task, insight }: { task: TaskName; insight: Insight }) {
  return (
    <div class="insight" data-test="insight">
      <Confusion classes={classesOf(task)} confusion={insight.confusion} />
      <Ablation byModalities={insight.byModalities} />
      <Unsure classes={classesOf(task)} unsure={insight.unsure} />
    </div>
  );
}

function Confusion({ classes, confusion }: { classes: readonly string[]; confusion: Insight["confusion"] }) {
  const t = text.value.progress;
  /** Four strengths, by the share of the row; the number stands in each cell as well. */
  const strength = (row: readonly number[], n: number) =>
    Math.ceil(
      (4 * n) /
        Math.max(
          1,
          row.reduce((a, b) => a + b, 0),
        ),
    );
  return (
    <section class="confusion">
      <h2>{t.confusion}</h2>
      <p>{t.confusionAbout}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">
              <span class="unseen">
                {t.truth} / {t.answer}
              </span>
            </th>
            {classes.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {confusion.map((row, truth) => (
            <tr key={classes[truth]}>
              <th scope="row">{classes[truth]}</th>
              {row.map((n, answer) => (
                <td
                  key={classes[answer]}
                  class={n === 0 ? "" : `${truth === answer ? "hit" : "miss"}${strength(row, n)}`}
                  title={t.confusionCell(classes[truth]!, classes[answer]!, n)}
                >
                  {n === 0 ? "·" : n}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Ablation({ byModalities }: { byModalities: Insight["byModalities"] }) {
  const t = text.value;
  const name = (subset: string) =>
    subset
      .split("+")
      .map((modality) => t.modality[modality] ?? modality)
      .join(" + ");
  return (
    <section class="ablation">
      <h2>{t.progress.ablation}</h2>
      <p>{t.progress.ablationAbout}</p>
      <table class="level">
        <tbody>
          {Object.entries(byModalities).map(([subset, accuracy]) => (
            <tr key={subset}>
              <th scope="row">{name(subset)}</th>
              <td class="track">
                <span class="bar" style={{ width: `${100 * accuracy}%` }} />
              </td>
              <td>{t.percent(accuracy, 1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Unsure({ classes, unsure }: { classes: readonly string[]; unsure: Insight["unsure"] }) {
  const t = text.value;
  return (
    <section class="unsure">
      <h2>{t.progress.unsure}</h2>
      <p>{t.progress.unsureAbout}</p>
      <ul>
        {unsure.map(({ shown, probabilities, action }) => {
          const picture = shown.picture;
          const words = t.progress.unsureItem(
            classes[shown.label!]!,
            classes[action]!,
            t.percent(probabilities[action]!),
          );
          return (
            <li key={shown.id}>
              {picture && (
                <Canvas class="thumb" label={words} by={[picture]} draw={(canvas) => drawPicture(canvas, picture)} />
              )}
              <span>{words}</span>
              {shown.words.length > 0 && <em>{shown.words.join(" ")}</em>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
