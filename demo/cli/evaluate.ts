import { Command } from "commander";
import { Random } from "handgrad/data";
import { openFeedbackLog } from "handgrad/node";
import { type BlindAccuracy, blindAccuracy } from "handgrad/rl";
import type { TriDigit } from "../tridigits/tridigits.ts";
import { heldOut, type TestResult, testOn } from "./held-out.ts";
import { humanJudge, judgeAll, Quit } from "./judges.ts";
import { percent, say } from "./progress.ts";
import { filePath, wholeNumber } from "./settings.ts";
import { openTrained, type Trained } from "./trained.ts";

/*
 * handgrad evaluate RUN: how good the model of a run is on examples that nothing was learned from. By their labels, or by
 * a person, blind: shown the answer, and not how sure the network is. What the person says is kept in evaluation.jsonl of
 * the run, and nobody learns from it.
 */

interface Options {
  human?: number;
  software?: boolean;
  json?: boolean;
}

export const evaluateCommand = (): Command =>
  new Command("evaluate")
    .description("how good the model of a run is, on examples that it did not learn from")
    .argument("<run>", "the folder of a run that is done", filePath("the run"))
    .option("--human <n>", "judge n answers yourself instead, blind", wholeNumber("--human", 1, 1500))
    .option("--software", "compute on the CPU even where there is a GPU")
    .option("--json", "print one JSON object as the last line")
    .action(evaluate);

async function evaluate(path: string, { human, software = false, json = false }: Options): Promise<void> {
  const run = await openTrained(path, { software });
  try {
    say(`device: ${run.engine.adapter}`);
    const found = human === undefined ? await byLabels(run) : await byPerson(run, human);
    if (json) console.log(JSON.stringify({ adapter: run.engine.adapter, ...found, folder: path }));
  } finally {
    run.engine.destroy();
  }
}

async function byLabels({ net, data, settings, learned, agent }: Trained) {
  const on = { net, data, seed: settings.seed, ...(learned ? { agent: agent() } : {}) };
  const results = await testOn(on, { subsets: true });
  for (const line of table(results)) say(line);
  const short = ({ calibration, ...result }: TestResult) => ({ ...result, ece: calibration.ece });
  return { unseen: short(results.unseen), seen: short(results.seen) };
}

function table({ unseen, seen }: Record<keyof typeof heldOut, TestResult>): string[] {
  const row = (name: string, of: (result: TestResult) => string) =>
    `${name.padEnd(30)}${of(unseen).padStart(18)}${of(seen).padStart(14)}`;
  return [
    `${"".padEnd(30)}${"unseen speakers".padStart(18)}${"seen speakers".padStart(14)}`,
    row("accuracy of the network", ({ accuracy }) => percent(accuracy)),
    ...Object.keys(unseen.byModalities)
      .filter((subset) => subset !== "all")
      .map((subset) => row(`    from ${subset.replaceAll("+", " and ")}`, (r) => percent(r.byModalities[subset]!))),
    row("accuracy of the learner", ({ agent }) => percent(agent)),
    row("F1, mean over the digits", ({ f1 }) => f1.toFixed(3)),
    row("cross-entropy", ({ loss }) => loss.toFixed(3)),
    row("expected calibration error", ({ calibration }) => percent(calibration.ece)),
  ];
}

/** Undefined where nobody said right or wrong. */
async function byPerson(
  { folder, data, settings, agent }: Trained,
  n: number,
): Promise<{ blind: BlindAccuracy | undefined }> {
  const log = await openFeedbackLog(folder.file("evaluation.jsonl"), { onNotice: say });
  try {
    const set = data.set(heldOut.unseen, settings.seed);
    const order = new Random("blind", settings.seed).shuffle(Array.from({ length: set.length }, (_, i) => i));
    const judged = new Set(log.judgements().map(({ example }) => example));
    const questions: TriDigit[] = [];
    for (const i of order) {
      if (questions.length === n) break;
      if (!judged.has(set.at(i).id)) questions.push(set.at(i));
    }
    say(`${questions.length} answers, drawn by chance: y right, n wrong, s skip, u undo, p play, q quit`);
    try {
      await judgeAll(agent(log), questions, { log, judge: humanJudge(log, { blind: true }), purpose: "evaluation" });
    } catch (error) {
      if (!(error instanceof Quit)) throw error; // What was said up to here counts.
    }
    if (!log.judgements().some(({ reward }) => reward !== null)) {
      say("no answer was judged right or wrong");
      return { blind: undefined };
    }
    const blind = blindAccuracy(log.judgements());
    const { accuracy, low, high, answers, undecided } = blind;
    say(
      `${Math.round(accuracy * answers)} of ${answers} answers are right, ${undecided} nobody could tell: ${percent(accuracy)} (95 % interval ${percent(low)} to ${percent(high)})`,
    );
    return { blind };
  } finally {
    await log.close();
  }
}
