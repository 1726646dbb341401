import { largest } from "handgrad/data";
import { barChart, html, lineChart } from "./charts.ts";
import type { TestResult } from "./held-out.ts";
import type { Metric } from "./metrics.ts";
import { percent } from "./progress.ts";
import type { RunResult } from "./result.ts";

import type { Settings } from "./settings.ts";

/** What a run did, as one HTML file that needs no other and no network. */
export function renderReport({
  settings,
  metrics,
  result,
}: {
  settings: Settings;
  metrics: readonly Metric[];
  result: RunResult;
}): string {
  const { labels, judgements, before, after, adapter, parameters, seconds, stepMs, dispatchesPerStep } = result;
  const person = settings.human
    ? "a person"
    : `a simulated person${settings.labelNoise ? ` who is wrong in ${percent(settings.labelNoise)} of the judgements` : ""}`;
  const taught = judgements ? ` Then ${judgements} judgements of ${person}, right or wrong, taught it.` : "";
  const from = before ? `from ${percent(before.unseen.accuracy)} to ` : "";
  const summary =
    `A network of ${parameters.toLocaleString("en")} parameters that sees a degraded picture, hears a noisy spoken word and reads a hint learned from ${labels} labels.${taught} ` +
    `It went ${from}${percent(after.unseen.accuracy)} on voices that it had never heard, and ${before ? `from ${percent(before.seen.accuracy)} to ` : "is at "}${percent(after.seen.accuracy)} on voices it had seen.`;
  const of = <K extends Metric["kind"]>(kind: K) =>
    metrics.filter((m): m is Extract<Metric, { kind: K }> => m.kind === kind);
  const validation = of("validation");
  const charts = [
    lineChart({
      title: "Loss of training, by epoch",
      x: "epochs",
      y: "cross-entropy",
      series: [{ name: "loss", points: of("train").map((m) => [m.epoch, m.loss]) }],
    }),
    lineChart({
      title: "Accuracy on validation while training",
      x: "epochs",
      y: "accuracy",
      range: [0, 1],
      series: [
        {
          name: "accuracy",
          points: validation.flatMap((m) => (m.epoch === undefined ? [] : [[m.epoch, m.accuracy] as const])),
        },
      ],
    }),
    lineChart({
      title: "Accuracy on validation against judgements",
      x: "judgements",
      y: "accuracy",
      range: [0, 1],
      series: [
        {
          name: "accuracy",
          points: validation.flatMap((m) => (m.judgements === undefined ? [] : [[m.judgements, m.accuracy] as const])),
        },
      ],
    }),
    lineChart({
      title: "Reward of the answers judged",
      x: "judgements",
      y: "reward",
      range: [-1, 1],
      series: [{ name: "reward", points: of("learn").map((m) => [m.judgements, m.reward]) }],
    }),
  ];
  const config = Object.entries({
    ...settings,
    adapter,
    parameters,
    "milliseconds a step": stepMs.toFixed(1),
    "dispatches a step": dispatchesPerStep,
    seconds: seconds.toFixed(0),
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>handgrad ${html(settings.command)}, seed ${settings.seed}</title>
<style>${style}</style>
<h1>handgrad ${html(settings.command)}</h1>
<p>${html(summary)}</p>
<section class="charts">
${charts.join("\n")}
</section>
${testSection("Unseen speakers, never heard before", after.unseen)}
${testSection("Seen speakers while judging", after.seen)}
<h2>Settings</h2>
<table>${config.map(([key, value]) => `<tr><th scope="row">${html(key)}</th><td>${html(value)}</td></tr>`).join("")}</table>
<h2>Credits of the data</h2>
${credits}
</html>
`;
}

function testSection(title: string, result: TestResult): string {
  const { accuracy, loss, f1, calibration, byModalities, confusion, bySpeaker } = result;
  const most = Math.max(1, largest(confusion.flat()));
  const cell = (n: number) => `<td style="--share:${(n / most).toFixed(3)}">${n || ""}</td>`;
  const classes = confusion.map((_, i) => i);
  return `<h2>${html(title)}</h2>
<p>Accuracy ${percent(accuracy)}, F1 in the mean over the digits ${f1.toFixed(3)}, cross-entropy ${loss.toFixed(3)}, expected calibration error ${percent(calibration.ece)}.</p>
<section class="charts">
${barChart("Accuracy by what the network is given", Object.entries(byModalities))}
<figure><figcaption>Confusion: row, the digit; column, the answer</figcaption>
<table class="confusion"><tr><th></th>${classes.map((c) => `<th scope="col">${c}</th>`).join("")}</tr>
${confusion.map((row, label) => `<tr><th scope="row">${label}</th>${row.map(cell).join("")}</tr>`).join("\n")}</table></figure>
${barChart(
  "Accuracy by speaker",
  Object.entries(bySpeaker)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, { accuracy, count }]) => [`${name.slice(0, 14)} (${count})`, accuracy] as const),
)}
${lineChart({
  title: "How often an answer is right, against how sure it was",
  x: "sure",
  y: "right",
  range: [0, 1],
  series: [
    {
      name: "answers",
      points: calibration.bins.flatMap((b) => (b.count > 0 ? [[b.confidence, b.accuracy] as const] : [])),
    },
    {
      name: "ideal",
      points: [
        [0, 0],
        [1, 1],
      ],
    },
  ],
})}
</section>`;
}

const style = `
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fff; --line: #d5d9de; --s0: #0b62c4; --s1: #b4530a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --paper: #15181b; --line: #3a4047; --s0: #6db1ff; --s1: #f0a35e; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1320px; margin: 2rem auto; padding: 0 1rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 1.5rem; align-items: start; }
figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: .3rem; }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--ink); }
.grid { stroke: var(--line); } .curve { fill: none; stroke-width: 2; stroke: var(--s0); } .dot, .bar, svg .legend.s0 { fill: var(--s0); }
.curve.s1 { stroke: var(--s1); } .dot.s1, svg .legend.s1 { fill: var(--s1); }
table { border-collapse: collapse; } th, td { padding: .2rem .6rem; text-align: left; border-bottom: 1px solid var(--line); }
.confusion td { text-align: right; background: color-mix(in srgb, var(--s0) calc(var(--share) * 60%), transparent); min-width: 1.6rem; }
`;

const credits = `<ul>
<li>Sound files made by Marco Menardi and his wife Paola Dal Zot, http://www.voip.ammdomus.it (CC BY-SA 3.0 Italy)</li>
<li>Asterisk core sounds: Allison Smith (en, es), June Wallack (fr), © Digium and others (CC BY-SA 3.0); Carlo Flora (it), Maxim Topal, ivrvoice.ru (ru) (CC BY 3.0)</li>
<li>asterisk-prompt-es-co: Avatar Ltda., July E. Jimenez (GPL-2); asterisk-prompt-fr-armelle: Armelle Desjardins, © 2006 Michel Gutierrez (BSD style)</li>
<li>Tux Paint stamps © 2002-2022 Bill Kendrick (GPL-2 or later), voices as named in clips.json; espeak-ng (synthetic voices)</li>
<li>Pictures: MNIST by Yann LeCun, Corinna Cortes and Christopher J. C. Burges (CC BY-SA 3.0), as packed by Juan Cazala (MIT)</li>
</ul>
<p>All were degraded by noise, gaps and other changes; the README in demo/data/tridigits tells how, with the licenses.</p>`;
