import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { batches, batchOf, Random } from "handgrad/data";
import { type Fusion, fusions, MultimodalNet, type Task, tasks } from "handgrad/model";
import { adam, appendLine, cosine, createEngine, type Engine, noGrad } from "handgrad/node";
import { loadTriDigits } from "../demo/tridigits/load.ts";
import { type TriDigitSet, type TriDigits, triDigitsShape } from "../demo/tridigits/tridigits.ts";

/*
 * Every fusion with every head, trained on TriDigits (a noisy picture, a written hint, a spoken word):
 *   class    which digit                                share of test examples answered right
 *   binary   is it five or more                         the same
 *   labels   the four bits of the digit                 share of test examples with all four bits right
 *   values   the digit as a number                      root mean square error, in digits
 * Each run is one JSON line in a file; runs that are there already are not done again, so the program may be stopped at
 * any time and goes on where it was. The test examples have voices that were never heard in training.
 *
 *     npm run fusions -- --reduced     # 600 labeled examples, six times
 *     npm run fusions                  # all 6,000 labeled examples, twelve times
 */

const forms = {
  full: { examples: 6000, epochs: 12, tests: 1500 },
  reduced: { examples: 600, epochs: 6, tests: 300 },
  tiny: { examples: 64, epochs: 2, tests: 50 },
} as const;
type Form = keyof typeof forms;
const BATCH = 32;
const LR = 2e-3;

interface Result {
  form: Form;
  fusion: Fusion;
  task: Task;
  seed: number;
  /** Of the test examples: a share, or with "values" an error in digits. */
  value: number;
  parameters: number;
  steps: number;
  seconds: number;
  adapter: string;
}

/** What a head is to answer, and how good its answers are. */
const asked: Record<
  Task,
  {
    classes: number;
    target: (digits: Int32Array) => Int32Array | Float32Array;
    score: (y: Float32Array, digits: Int32Array) => number;
  }
> = {
  multiclass: {
    classes: 10,
    target: (digits) => digits,
    score: (y, digits) => share(digits, (digit, n) => largest(y.subarray(10 * n, 10 * n + 10)) === digit),
  },
  binary: {
    classes: 1,
    target: (digits) => Float32Array.from(digits, (digit) => (digit >= 5 ? 1 : 0)),
    score: (y, digits) => share(digits, (digit, n) => y[n]! > 0.5 === digit >= 5),
  },
  multilabel: {
    classes: 4,
    target: (digits) => Float32Array.from({ length: 4 * digits.length }, (_, i) => bit(digits[i >> 2]!, i & 3)),
    score: (y, digits) =>
      share(digits, (digit, n) => [0, 1, 2, 3].every((k) => y[4 * n + k]! > 0.5 === (bit(digit, k) === 1))),
  },
  regression: {
    classes: 1,
    target: (digits) => Float32Array.from(digits, scaled),
    score: (y, digits) => Math.sqrt(mean(digits, (digit, n) => (SPREAD * (y[n]! - scaled(digit))) ** 2)),
  },
};
const bit = (digit: number, k: number): number => (digit >> k) & 1;
/** A digit's distance from the middle of 0 … 9, in their standard deviation. */
const SPREAD = 2.87;
const scaled = (digit: number): number => (digit - 4.5) / SPREAD;
const largest = (row: Float32Array): number => row.indexOf(Array.from(row).reduce((most, x) => Math.max(most, x)));
const mean = (digits: Int32Array, f: (digit: number, n: number) => number): number =>
  digits.reduce((sum, digit, n) => sum + f(digit, n), 0) / digits.length;
const share = (digits: Int32Array, right: (digit: number, n: number) => boolean): number =>
  mean(digits, (digit, n) => (right(digit, n) ? 1 : 0));

async function trainOne(
  engine: Engine,
  data: TriDigits,
  sets: { training: TriDigitSet; test: TriDigitSet },
  what: Pick<Result, "form" | "fusion" | "task" | "seed">,
): Promise<Result> {
  const start = performance.now();
  const { form, fusion, task, seed } = what;
  const { epochs } = forms[form];
  const { image, bands } = triDigitsShape;
  const { classes, target, score } = asked[task];
  // Random numbers of steps follow from the seed and their count: the same whatever ran before.
  engine.stepCount = 1e6 * seed;
  const net = new MultimodalNet(engine, {
    image: { shape: image, channels: [8, 16] },
    text: { vocabSize: data.tokenizer.size },
    audio: { features: bands, hidden: 32 },
    fusion: { kind: fusion },
    head: { task, outputs: classes, hidden: 64, dropout: 0.2 },
    seed,
    modalityDropout: 0.1,
  });
  const optimizer = adam(net.parameters(), { lr: LR, clipNorm: 1 });
  const rate = cosine(LR, epochs * Math.ceil(sets.training.length / BATCH), LR / 20);
  let steps = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const { label, ...batch } of batches(sets.training, BATCH, new Random("fusions", seed, epoch))) {
      optimizer.lr = rate(steps);
      const loss = await engine.step(() => {
        const loss = net.loss(net.forward(batch, { training: true }), target(label));
        optimizer.update(loss.backward());
        return loss;
      });
      steps += 1;
      if (steps % 20 === 0 && !Number.isFinite(await loss.item()))
        throw new Error(`${fusion}, ${task}, seed ${seed}: the loss of step ${steps} is no number.`);
    }
  }
  const answers: number[] = [];
  for (const { label: _, ...batch } of batches(sets.test, 100)) {
    const y = await engine.step(() => noGrad(() => net.predict(net.forward(batch))));
    for (const answer of await y.data()) answers.push(answer);
  }
  const digits = batchOf([...sets.test]).label;
  const parameters = net.size;
  optimizer.dispose();
  for (const p of Object.values(net.parameters())) p.dispose();
  return {
    ...what,
    value: score(Float32Array.from(answers), digits),
    parameters,
    steps,
    seconds: (performance.now() - start) / 1000,
    adapter: engine.adapter,
  };
}

/** The results in a file; the torn last line of a killed run is left out. */
function read(file: string): Result[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return line === "" ? [] : [JSON.parse(line) as Result];
      } catch {
        return [];
      }
    });
}

/** Means over seeds as a table in Markdown, with how many seeds there were. */
function table(results: readonly Result[]): string {
  const cell = (fusion: Fusion, task: Task) => {
    const found = results.filter((r) => r.fusion === fusion && r.task === task);
    if (found.length === 0) return "";
    const value = found.reduce((sum, r) => sum + r.value, 0) / found.length;
    const shown = task === "regression" ? value.toFixed(2) : `${(100 * value).toFixed(1)} %`;
    return `${shown} (${found.length})`;
  };
  const rows = fusions.map((fusion) => `| \`${fusion}\` | ${tasks.map((task) => cell(fusion, task)).join(" | ")} |`);
  return [
    `| | ${tasks.map((task) => `\`${task}\``).join(" | ")} |`,
    `|---|${tasks.map(() => "---|").join("")}`,
    ...rows,
  ].join("\n");
}

async function main(): Promise<void> {
  const { values: args } = parseArgs({
    options: {
      reduced: { type: "boolean", default: false },
      tiny: { type: "boolean", default: false },
      seeds: { type: "string", default: "1,2,3" },
      out: { type: "string" },
    },
  });
  const form: Form = args.tiny ? "tiny" : args.reduced ? "reduced" : "full";
  const seeds = args.seeds.split(",").map(Number);
  if (!seeds.every(Number.isSafeInteger))
    throw new Error(`--seeds is ${args.seeds}, expected whole numbers such as 1,2,3.`);
  const out = args.out ?? `runs/fusions-${form}.jsonl`;
  mkdirSync(dirname(out), { recursive: true });
  const data = loadTriDigits();
  const engine = await createEngine();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const { examples, epochs, tests } = forms[form];
  say(`${form}: ${examples} examples, ${epochs} epochs, ${tests} tests; device: ${engine.adapter}; results: ${out}`);
  for (const seed of seeds) {
    const sets = { training: data.set("full", seed, examples), test: data.set("test-unseen", seed, tests) };
    for (const fusion of fusions) {
      for (const task of tasks) {
        const what = { form, fusion, task, seed };
        const same = (r: Result) => r.form === form && r.fusion === fusion && r.task === task && r.seed === seed;
        if (read(out).some(same)) continue;
        const result = await trainOne(engine, data, sets, what);
        await appendLine(out, JSON.stringify(result));
        process.stdout.write(`${JSON.stringify(result)}\n`);
      }
    }
  }
  say(table(read(out).filter((r) => r.form === form && seeds.includes(r.seed))));
  engine.destroy();
}

main().catch((error) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
