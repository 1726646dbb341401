import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/data/random.ts";
import { MultimodalNet } from "../../src/model/index.ts";
import { openFeedbackLog } from "../../src/node.ts";
import { total } from "../../src/numbers.ts";
import * as rl from "../../src/rl/index.ts";
import { failureOf, testExports } from "../refused.ts";
import { useEngine } from "../use-engine.ts";
import { batchOf, beginner, examples, type Small } from "./small.ts";

/*
 * Nothing that cannot be is computed with: each export of handgrad/rl has a row here of how it is called, and of calls that
 * it refuses by its name. An export without a row fails.
 */

// biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid are what is tested.
type Any = any;
const engine = await useEngine();
const one = beginner(engine);
const all = one.net;
const words = new MultimodalNet(engine, { text: { vocabSize: 4, embeddingDim: 2 }, head: { hidden: 2, outputs: 2 } });
const model = new rl.PreferenceModel([one], { batchOf });

const judgement = (changes: object = {}): Any => ({
  ...{ v: 3, kind: "judgement", id: "a", time: "2025-01-31T12:00:00.000Z", judge: "ann", session: "s", example: "e" },
  ...{ inputHash: "h", probabilities: [0.25, 0.75], action: 1, reward: 1, propensity: 0.75, acquisition: "uniform" },
  ...{ inclusionProbability: null, model: "m", reactionMs: 1, seed: 0, purpose: "training" },
  ...changes,
});
const blind = (changes: object = {}) => judgement({ purpose: "evaluation", ...changes });
const rating = (changes: object = {}): Any => ({ item: "1", judge: "a", category: "x", ...changes });
const both = [rating(), rating({ judge: "b" })];
const row = (changes: object = {}): Any => ({
  ...{ example: "e", action: 1, reward: 1, propensity: 0.75, logged: [0.25, 0.75], target: [0.5, 0.5], weight: 1 },
  ...changes,
});
const rows = (changes: object = {}): Any[] => [row(), row({ example: "f", reward: -1 }), row(changes)];
const random = () => new Random("calls");
const small = () => ({ ...batchOf([examples[0]!]), frames: [1] }) as Any;
const agent = (o: object = {}): Any =>
  rl.learner<Small>(one.net, one.optimizer, { log: rl.memoryLog(), batchOf, ...o } as Any);
const answered = async (wrong: (id: string, agent: Any) => unknown) => {
  const asked = agent();
  return wrong((await asked.act(examples[0]!)).id, asked);
};

const NO_NUMBERS: Any[] = [Number.NaN, Infinity, "1", null, [1]];
const NO_WHOLE: Any[] = [...NO_NUMBERS, 0.5, -1];
const NO_LISTS: Any[] = [null, 5, "text", {}];
const HOLE = Object.assign(new Array(2), { 1: 1 });
const NO_PROBABILITIES: Any[] = [...NO_LISTS, [], [0.5, Number.NaN], [0.5, 0.1], [1.5, -0.5], ["0.5", 0.5], HOLE];
const NO_TEXT: Any[] = ["", 5, null, {}];

interface Calls {
  /** The call as it is meant. */
  readonly right: () => unknown;
  /** What it takes no other names in. */
  readonly options?: (o: Any) => unknown;
  /** Calls with each of these values, which are refused. */
  readonly wrong: readonly (readonly [readonly Any[], (x: Any) => unknown])[];
}

const judgements = (call: (judgements: Any) => unknown, fields: Record<string, readonly Any[]>): Calls["wrong"] => [
  [[...NO_LISTS, [null], [5]], call],
  ...Object.entries(fields).map(
    ([field, values]) => [[...values, undefined], (x: Any) => call([judgement({ [field]: x })])] as const,
  ),
];
const ratings = (call: (ratings: Any) => unknown): Calls["wrong"] => [
  [[...NO_LISTS, [null], [5]], call],
  ...["item", "judge", "category"].map(
    (field) => [NO_TEXT, (x: Any) => call([...both, rating({ [field]: x })])] as const,
  ),
];
const REWARDS = [Number.NaN, 2, "1", true];
const ofRows = (call: (rows: Any) => unknown): Calls["wrong"] => [
  [[...NO_LISTS, [null, null]], call],
  [NO_TEXT, (x) => call(rows({ example: x }))],
  [[...NO_WHOLE, 2], (x) => call(rows({ action: x }))],
  [[...NO_NUMBERS, 2], (x) => call(rows({ reward: x }))],
  [[...NO_NUMBERS, 0, 2, 5e-324], (x) => call(rows({ propensity: x }))],
  [[...NO_NUMBERS, -1], (x) => call(rows({ weight: x }))],
  [NO_PROBABILITIES, (x) => call(rows({ logged: x }))],
  [[...NO_PROBABILITIES, [1], [0.5, 0.25, 0.25]], (x) => call(rows({ target: x }))],
];
const choose = (o: object) => rl.choose([[[0.5, 0.5]], [[1, 0]]], 1, { by: "bald", ...o } as Any, random());

const table: Record<string, Calls> = {
  cohenKappa: {
    right: () => rl.cohenKappa(both, "a", "b"),
    wrong: [
      ...ratings((x) => rl.cohenKappa(x, "a", "b")),
      [NO_TEXT, (x) => rl.cohenKappa(both, x, "b")],
      [["a", ...NO_TEXT], (x) => rl.cohenKappa(both, "a", x)],
    ],
  },
  fleissKappa: { right: () => rl.fleissKappa(both), wrong: ratings(rl.fleissKappa) },
  selfConsistency: {
    right: () => rl.selfConsistency([rating(), rating()], "a"),
    wrong: [...ratings((x) => rl.selfConsistency(x, "a")), [NO_TEXT, (x) => rl.selfConsistency(both, x)]],
  },
  reliability: {
    right: () => rl.reliability(both),
    options: (o) => rl.reliability(both, o),
    wrong: [...ratings(rl.reliability), [[...NO_WHOLE, 0], (rounds) => rl.reliability(both, { rounds })]],
  },
  ratingsOf: {
    right: () => rl.ratingsOf([judgement()]),
    wrong: judgements(rl.ratingsOf, { example: NO_TEXT, judge: NO_TEXT, action: NO_WHOLE, reward: REWARDS }),
  },
  aggregateLabels: {
    right: () => rl.aggregateLabels([judgement()]),
    wrong: judgements(rl.aggregateLabels, {
      example: NO_TEXT,
      judge: NO_TEXT,
      action: NO_WHOLE,
      reward: REWARDS,
      purpose: ["t"],
    }),
  },
  rewarded: {
    right: () => rl.rewarded([judgement()]),
    wrong: judgements(rl.rewarded, { reward: REWARDS, purpose: ["train", null] }),
  },
  blindAccuracy: {
    right: () => rl.blindAccuracy([blind()]),
    options: (o) => rl.blindAccuracy([blind()], o),
    wrong: [
      ...judgements(
        (list) => rl.blindAccuracy(Array.isArray(list) ? list.map((x: Any) => x && { ...blind(), ...x }) : list),
        {
          ...{ example: NO_TEXT, model: NO_TEXT, action: NO_WHOLE, reward: REWARDS, purpose: ["test", null] },
        },
      ).slice(1),
      [[...NO_LISTS, [null]], rl.blindAccuracy],
      [NO_TEXT, (x) => rl.blindAccuracy([blind()], { model: x })],
    ],
  },
  wilson: {
    right: () => rl.wilson(1, 2),
    wrong: [
      [[...NO_WHOLE, 3], (k) => rl.wilson(k, 2)],
      [[...NO_WHOLE, 0], (n) => rl.wilson(0, n)],
    ],
  },
  mcnemar: {
    right: () => rl.mcnemar(1, 2),
    wrong: [
      [NO_WHOLE, (gained) => rl.mcnemar(gained, 2)],
      [NO_WHOLE, (lost) => rl.mcnemar(1, lost)],
    ],
  },
  choose: {
    right: () => choose({}),
    options: choose,
    wrong: [
      [NO_WHOLE, (n) => rl.choose([[[0.5, 0.5]]], n, { by: "bald" }, random())],
      [[...NO_NUMBERS.filter((x) => x !== undefined), 2, -1], (floor) => choose({ floor })],
      [
        ["bold", 5, null, ["bald"], {}, { bald: 0 }, { bald: Number.NaN }, { bold: 1 }, { bald: 1e308, margin: 1e308 }],
        (by) => choose({ by }),
      ],
      [NO_LISTS, (x) => rl.choose(x, 1, { by: "uniform" }, random())],
      [[...NO_LISTS, []], (x) => rl.choose([[[0.5, 0.5]], x], 1, { by: "uniform" }, random())],
      [[...NO_PROBABILITIES, [1]], (p) => rl.choose([[[0.5, 0.5]], [p]], 1, { by: "uniform" }, random())],
      [[undefined, null, Math.random], (x) => rl.choose([], 1, { by: "uniform" }, x)],
      [[undefined, null, 5], (o) => rl.choose([], 1, o, random())],
    ],
  },
  entropyOf: { right: () => rl.entropyOf([0.5, 0.5]), wrong: [[NO_PROBABILITIES, rl.entropyOf]] },
  ...Object.fromEntries(
    Object.entries(rl.scores).map(([name, score]): [string, Calls] => [
      `scores.${name}`,
      {
        right: () => score([[0.5, 0.5]]),
        wrong: [[[...NO_LISTS, [], [[1], [0.5, 0.5]], ...NO_PROBABILITIES.map((p) => [p])], score]],
      },
    ]),
  ),
  ips: { right: () => rl.ips(rows()), wrong: [...ofRows(rl.ips), [[[], [row()]], rl.ips]] },
  snips: { right: () => rl.snips(rows()), wrong: [...ofRows(rl.snips), [[[], [row()]], rl.snips]] },
  directMethod: {
    right: () => rl.directMethod(rows(), { resamples: 2 }),
    options: (o) => rl.directMethod(rows(), o),
    wrong: [
      ...ofRows(rl.directMethod),
      [[...NO_WHOLE, 0, 1], (resamples) => rl.directMethod(rows(), { resamples })],
      [NO_WHOLE, (seed) => rl.directMethod(rows(), { seed })],
      [[null, 5, () => 5, () => () => Number.NaN], (rewards) => rl.directMethod(rows(), { rewards })],
      [[0], (weight) => rl.directMethod([row({ weight }), row({ weight, example: "f" })])],
    ],
  },
  doublyRobust: {
    right: () => rl.doublyRobust(rows()),
    options: (o) => rl.doublyRobust(rows(), o),
    wrong: [
      ...ofRows(rl.doublyRobust),
      [[...NO_WHOLE, 0, 1], (folds) => rl.doublyRobust(rows(), { folds })],
      [NO_WHOLE, (seed) => rl.doublyRobust(rows(), { seed })],
      [[null, 5, () => 5, () => () => Number.NaN], (rewards) => rl.doublyRobust(rows(), { rewards })],
    ],
  },
  effectiveSampleSize: {
    right: () => rl.effectiveSampleSize([1, 2]),
    wrong: [[[...NO_LISTS, ...[...NO_NUMBERS, -1].map((x) => [1, x])], rl.effectiveSampleSize]],
  },
  fitRewards: {
    right: () => rl.fitRewards(rows())(row(), 0),
    wrong: [...ofRows(rl.fitRewards), [[...NO_WHOLE, 2], (action) => rl.fitRewards(rows())(row(), action)]],
  },
  rowsOf: {
    right: () => rl.rowsOf([judgement()], () => [0.5, 0.5]),
    wrong: [
      ...judgements((x) => rl.rowsOf(x, () => [0.5, 0.5]), {
        ...{ example: NO_TEXT, action: [...NO_WHOLE, 2], reward: REWARDS, propensity: [0, ...NO_NUMBERS] },
        ...{ probabilities: NO_PROBABILITIES, inclusionProbability: [0, Number.NaN, "1"], purpose: ["test"] },
      }),
      [[...NO_PROBABILITIES, [1]], (p) => rl.rowsOf([judgement()], () => p)],
      [[null, 5, {}], (target) => rl.rowsOf([judgement()], target)],
    ],
  },
  calibration: {
    right: () => rl.calibration([[0.5, 0.5]], [true]),
    options: (o) => rl.calibration([[0.5, 0.5]], [0], o),
    wrong: [
      [[...NO_LISTS, [], ...[...NO_PROBABILITIES, [1]].map((p) => [[0.5, 0.5], p])], (x) => rl.calibration(x, [0, 0])],
      [[...NO_LISTS, [], ...[...NO_WHOLE, 2, undefined].map((x) => [x])], (x) => rl.calibration([[0.5, 0.5]], x)],
      [[...NO_WHOLE, 0], (bins) => rl.calibration([[0.5, 0.5]], [0], { bins })],
    ],
  },
  shapleyValues: {
    right: () => rl.shapleyValues([0, 1]),
    wrong: [[[...NO_LISTS, [], [1, 2, 3], ...NO_NUMBERS.map((x) => [0, x])], rl.shapleyValues]],
  },
  sharesOf: {
    right: () => rl.sharesOf(["a"], async () => 1),
    wrong: [
      [[...NO_LISTS, ["a", "a"], [""], [5], new Array(17).fill("a")], (x) => rl.sharesOf(x, async () => 1)],
      [[null, 5], (x) => rl.sharesOf(["a"], x)],
      [[...NO_NUMBERS, undefined], (x) => rl.sharesOf(["a"], async () => x)],
    ],
  },
  modalityShares: {
    right: () => rl.modalityShares(all, small(), Int32Array.of(1) as Any),
    wrong: [
      [[null, {}, one], (net) => rl.modalityShares(net, small(), [1])],
      [[...NO_LISTS, [1, 1], ...[...NO_WHOLE, 4].map((x) => [x])], (x) => rl.modalityShares(all, small(), x)],
      [
        [...NO_LISTS, [1], [1, 1, 2], [1, 1, Number.NaN], [1, 1, 1, 1]],
        (present) => rl.modalityShares(all, { ...small(), present }, [1]),
      ],
      [[undefined, null, 5], (batch) => rl.modalityShares(all, batch, [1])],
    ],
  },
  wordShares: {
    right: () => rl.wordShares(words, { words: [1, 2] }, 1),
    wrong: [
      [[...NO_WHOLE, 2, undefined], (action) => rl.wordShares(words, { words: [1, 2] }, action)],
      [[Number.NaN, null, {}], (seed) => rl.wordShares(words, { words: [1, 2] }, 1, seed)],
      [[...NO_LISTS, undefined, [Number.NaN], [0.5], [9]], (x) => rl.wordShares(words, { words: x }, 1)],
      [[2, 0.5, Number.NaN], (size) => rl.wordShares(words, { words: [1, 2], size }, 1)],
    ],
  },
  integratedGradients: {
    right: () => rl.integratedGradients(all, small(), 1, { steps: 2 }),
    options: (o) => rl.integratedGradients(all, small(), 1, { steps: 2, ...o }),
    wrong: [
      [[...NO_WHOLE, 4, undefined], (action) => rl.integratedGradients(all, small(), action)],
      [[...NO_WHOLE, 0], (steps) => rl.integratedGradients(all, small(), 1, { steps })],
      [
        [5, null, { picture: [] }, { image: [1] }, { image: 5 }],
        (baseline) => rl.integratedGradients(all, small(), 1, { baseline }),
      ],
      [
        [...NO_LISTS, undefined, new Float32Array(63), new Float32Array(128), [..."x".repeat(64)]],
        (image) => rl.integratedGradients(all, { ...small(), image }, 1),
      ],
    ],
  },
  checkRecord: {
    right: () => rl.checkRecord(judgement()),
    options: (o) => rl.checkRecord(judgement(), o),
    wrong: [[[...NO_LISTS, judgement({ reward: Number.NaN }), judgement({ probabilities: HOLE })], rl.checkRecord]],
  },
  parseRecord: {
    right: () => rl.parseRecord(JSON.stringify(judgement()), 1),
    wrong: [
      [["", "{", 5, null, "null"], (line) => rl.parseRecord(line, 1)],
      [[...NO_WHOLE, 0], (line) => rl.parseRecord(JSON.stringify(judgement()), line)],
    ],
  },
  ...Object.fromEntries(
    Object.entries({ activeJudgements: rl.activeJudgements, activePreferences: rl.activePreferences }).map(
      ([name, standing]): [string, Calls] => [
        name,
        {
          right: () => standing([judgement()]),
          wrong: [
            [[...NO_LISTS, [null], [5]], standing],
            [["like", null, undefined, "toString"], (kind) => standing([judgement({ kind })])],
            [[...NO_TEXT, undefined], (id) => standing([judgement({ id })])],
            [[...NO_TEXT, undefined], (retracts) => standing([judgement({ kind: "retraction", retracts })])],
          ],
        },
      ],
    ),
  ),
  memoryLog: {
    right: () => rl.memoryLog([judgement()]),
    wrong: [[[...NO_LISTS, [null], [judgement({ reward: Number.NaN })], [judgement({ time: "now" })]], rl.memoryLog]],
  },
  logOver: {
    right: () => rl.logOver({ write: async () => {}, close: async () => {} }),
    wrong: [
      [[undefined, null, {}, { write: 5, close: 5 }], rl.logOver],
      [
        [...NO_LISTS, [null], [judgement({ action: 0.5 })]],
        (x) => rl.logOver({ write: async () => {}, close: async () => {} }, x),
      ],
    ],
  },
  "log.appendAll": {
    right: () => rl.memoryLog().appendAll([judgement()]),
    wrong: [[[...NO_LISTS, [null], [judgement({ seed: -1 })]], (x) => rl.memoryLog().appendAll(x)]],
  },
  "log.append": {
    right: () => rl.memoryLog().append(judgement()),
    wrong: [[[...NO_LISTS, undefined, judgement({ seed: -1 })], (x) => rl.memoryLog().append(x)]],
  },
  "log.undo": { right: () => rl.memoryLog().undo("a"), wrong: [[NO_TEXT, (x) => rl.memoryLog([judgement()]).undo(x)]] },
  openFeedbackLog: {
    right: async () => (await openFeedbackLog(join(mkdtempSync(join(tmpdir(), "hg-")), "log.jsonl"))).close(),
    wrong: [[[...NO_TEXT, undefined], openFeedbackLog]],
  },
  mergeLogs: {
    right: () => rl.mergeLogs([{ name: "a", records: [judgement()] }]),
    wrong: [
      [[...NO_LISTS, [null], [5]], rl.mergeLogs],
      [[...NO_TEXT, undefined], (name) => rl.mergeLogs([{ name, records: [] }])],
      [
        [...NO_LISTS, undefined, [null], [judgement({ id: 5 })], [judgement({ time: "now" })]],
        (x) => rl.mergeLogs([{ name: "a", records: x }]),
      ],
    ],
  },
  optimisticArgmax: {
    right: () => rl.optimisticArgmax([0.5, 0.5], [1, 0]),
    wrong: [
      [[...NO_LISTS, [], ...NO_NUMBERS.map((x) => [0.5, x])], (x) => rl.optimisticArgmax(x)],
      [[...NO_LISTS, [1], ...[...NO_NUMBERS, -1].map((x) => [1, x])], (x) => rl.optimisticArgmax([0.5, 0.5], x)],
    ],
  },
  methodRecord: {
    right: () => rl.methodRecord("ppo"),
    wrong: [[[undefined, null, 1, "beliefs", "toString"], (name) => rl.methodRecord(name)]],
  },
  simulatedPerson: {
    right: () => rl.simulatedPerson({ seed: 1 }),
    options: (o) => rl.simulatedPerson({ seed: 1, ...o }),
    wrong: [
      [[undefined, null, 5, {}], rl.simulatedPerson],
      [[Number.NaN, null, {}, true], (seed) => rl.simulatedPerson({ seed })],
      ...["labelNoise", "laziness"].map(
        (name) => [[...NO_NUMBERS, 1.1, -0.1], (x: Any) => rl.simulatedPerson({ seed: 1, [name]: x })] as const,
      ),
      [[...NO_NUMBERS, 1.1, -1.1], (bias) => rl.simulatedPerson({ seed: 1, bias })],
      [NO_NUMBERS, (drift) => rl.simulatedPerson({ seed: 1, drift })],
      [NO_WHOLE, (delay) => rl.simulatedPerson({ seed: 1, delay })],
    ],
  },
  "simulatedPerson.judge": {
    right: () => rl.simulatedPerson({ seed: 1 }).judge({ id: 0, label: 1 }, 1),
    wrong: [
      [NO_WHOLE, (action) => rl.simulatedPerson({ seed: 1 }).judge({ id: 0, label: 1 }, action)],
      [[...NO_WHOLE, undefined], (label) => rl.simulatedPerson({ seed: 1 }).judge({ id: 0, label }, 1)],
      [["", Number.NaN, null, {}], (id) => rl.simulatedPerson({ seed: 1 }).judge({ id, label: 1 }, 1)],
      [[null, 5, undefined], (x) => rl.simulatedPerson({ seed: 1 }).judge(x, 1)],
    ],
  },
  bradleyTerry: {
    right: () => engine.step(() => rl.bradleyTerry(engine, engine.tensor([1, 2], [1, 2]), [0], [1])),
    wrong: [
      [
        [...NO_LISTS, [], [1], [0, 0], ...[...NO_WHOLE, 2].map((x) => [x])],
        (x) => engine.step(() => rl.bradleyTerry(engine, engine.tensor([1, 2], [1, 2]), x, [1])),
      ],
      [
        [...NO_LISTS, [], [0], [1, 1], ...[...NO_WHOLE, 2].map((x) => [x])],
        (x) => engine.step(() => rl.bradleyTerry(engine, engine.tensor([1, 2], [1, 2]), [0], x)),
      ],
      [[null, [1, 2]], (x) => engine.step(() => rl.bradleyTerry(engine, x, [0], [1]))],
    ],
  },
  PreferenceModel: {
    right: () => new rl.PreferenceModel([one], { batchOf }),
    options: (o) => new rl.PreferenceModel([one], { batchOf, ...o }),
    wrong: [
      [
        [...NO_LISTS, [], [null], [{}], [{ ...one, optimizer: {} }], [{ ...one, nett: 1 }]],
        (x) => new rl.PreferenceModel(x, { batchOf }),
      ],
      [[undefined, null, {}, { batchOf: 5 }], (o) => new rl.PreferenceModel([one], o)],
      [[...NO_NUMBERS, 1, -0.1], (heldBack) => new rl.PreferenceModel([one], { batchOf, heldBack })],
      [NO_WHOLE, (seed) => new rl.PreferenceModel([one], { batchOf, seed })],
    ],
  },
  "PreferenceModel.learn": {
    right: () => model.learn([]),
    options: (o) => model.learn([], o),
    wrong: [
      [[...NO_WHOLE, 0], (steps) => model.learn([], { steps })],
      [[...NO_WHOLE, 0], (batch) => model.learn([], { batch })],
      [[...NO_LISTS, [null], [{ preferred: 0, rejected: 1 }]], (x) => model.learn(x)],
      [[...NO_WHOLE, 4, 1], (x) => model.learn([{ example: examples[0]!, preferred: x, rejected: 1 }])],
      [[...NO_WHOLE, 4, 1], (x) => model.learn([{ example: examples[0]!, preferred: 1, rejected: x }])],
    ],
  },
  "PreferenceModel.rewards": {
    right: () => model.rewards([examples[0]!]),
    wrong: [[NO_LISTS, (x) => model.rewards(x)]],
  },
  learnFromRewards: {
    right: () => rl.learnFromRewards(all, one.optimizer, { model, examples: examples.slice(0, 2), toBatch: batchOf }),
    options: (o) =>
      rl.learnFromRewards(all, one.optimizer, { model, examples: examples.slice(0, 2), toBatch: batchOf, ...o }),
    wrong: [
      [[...NO_LISTS, []], (x) => rl.learnFromRewards(all, one.optimizer, { model, examples: x, toBatch: batchOf })],
      [[null, {}], (x) => rl.learnFromRewards(x, one.optimizer, { model, examples, toBatch: batchOf })],
      [[null, {}], (x) => rl.learnFromRewards(all, x, { model, examples, toBatch: batchOf })],
      [[null, {}], (x) => rl.learnFromRewards(all, one.optimizer, { model: x, examples, toBatch: batchOf })],
      [[null, {}], (x) => rl.learnFromRewards(all, one.optimizer, { model, examples, toBatch: x })],
      ...["caution", "entropy", "klCoef"].map(
        (name) =>
          [
            NO_NUMBERS,
            (x: Any) => rl.learnFromRewards(all, one.optimizer, { model, examples, toBatch: batchOf, [name]: x }),
          ] as const,
      ),
      [
        [null, {}, words],
        (reference) =>
          rl.learnFromRewards(all, one.optimizer, { model, examples, toBatch: batchOf, reference: reference ?? words }),
      ],
    ],
  },
  learner: {
    right: () => agent(),
    options: agent,
    wrong: [
      [[undefined, null, {}], (o) => rl.learner(all, one.optimizer, o)],
      [[undefined, null, {}], (x) => rl.learner(x, one.optimizer, { log: rl.memoryLog() })],
      [[undefined, null, {}], (x) => rl.learner(all, x, { log: rl.memoryLog() })],
      [[null, {}, 5], (reference) => agent({ reference })],
      [
        [...NO_LISTS, [null], ...[...NO_WHOLE, 4].map((label) => [{ id: "e", label }]), [{ id: 5, label: 1 }]],
        (labeled) => agent({ labeled }),
      ],
      [[null, {}, 5, { length: 5 }, { length: Number.NaN, at: () => null }], (unlabeled) => agent({ unlabeled })],
      [
        [null, {}, { key: 5, rest: [] }, { key: String, rest: ["img"] }, { key: String, rest: "image" }],
        (recurring) => agent({ recurring }),
      ],
      [[null, 5, ""], (session) => agent({ session })],
      [["believe", null], (method) => agent({ method })],
      [[...NO_WHOLE], (seed) => agent({ seed })],
    ],
  },
  "learner.act": {
    right: () => agent().act(examples[0]!),
    options: (o) => agent().act(examples[0]!, o),
    wrong: [
      [[undefined, null, 5, { id: "" }, { id: 5 }], (x) => agent().act(x)],
      [
        [0, ...NO_NUMBERS.filter((x) => x !== null), 2],
        (inclusionProbability) => agent().act(examples[0]!, { inclusionProbability }),
      ],
      [["test", null], (purpose) => agent().act(examples[0]!, { purpose })],
      [NO_TEXT, (acquisition) => agent().act(examples[0]!, { acquisition })],
      [NO_LISTS, (x) => agent().actOn(x)],
      [[[], [{}, {}]], (asking) => agent().actOn([examples[0]!], asking)],
    ],
  },
  "learner.predict": {
    right: () => agent().predict([examples[0]!]),
    options: (o) => agent().predict([examples[0]!], o),
    wrong: [
      [[...NO_LISTS, [null]], (x) => agent().predict(x)],
      [[...NO_LISTS, ["sound"]], (modalities) => agent().predict([examples[0]!], { modalities })],
    ],
  },
  "learner.judge": {
    right: () => answered((id, agent) => agent.judge(id, { reward: 1, judge: "ann" })),
    options: (o) => answered((id, agent) => agent.judge(id, { reward: 1, judge: "ann", ...o })),
    wrong: [
      [[undefined, null, 5, {}], (verdict) => answered((id, agent) => agent.judge(id, verdict))],
      [[undefined, ...REWARDS], (reward) => answered((id, agent) => agent.judge(id, { reward, judge: "ann" }))],
      [[...NO_TEXT, undefined], (judge) => answered((id, agent) => agent.judge(id, { reward: 1, judge }))],
      [[...NO_TEXT, undefined, "never"], (id) => agent().judge(id, { reward: 1, judge: "ann" })],
    ],
  },
  "learner.prefer": {
    right: () => answered(() => undefined),
    options: (o) => answered((id, agent) => agent.prefer(id, { better: 1, judge: "ann", ...o })),
    wrong: [
      [[undefined, null, 5, {}], (verdict) => answered((id, agent) => agent.prefer(id, verdict))],
      [[...NO_WHOLE, 4, undefined], (better) => answered((id, agent) => agent.prefer(id, { better, judge: "ann" }))],
    ],
  },
  "learner.update": {
    right: () => agent().update([]),
    wrong: [
      [
        [...NO_LISTS, [null], [judgement()], [judgement({ reward: Number.NaN })], [judgement({ purpose: "t" })]],
        (x) => agent().update(x),
      ],
    ],
  },
  "learner.restore": {
    right: () => agent().restore(agent().state()),
    options: (o) => agent().restore({ ...agent().state(), ...o }),
    wrong: [
      [[undefined, null, 5, {}], (x) => agent().restore(x)],
      [NO_WHOLE, (updates) => agent().restore({ ...agent().state(), updates })],
    ],
  },
};

/** What is refused: an error of ours, which begins with a name. */
const OURS =
  /^(\w*Error): (?!Cannot read|undefined is|null is|\S+ is not (a function|iterable)|\(intermediate|object null|Spread|Invalid)/;

describe.each(Object.entries(table))("%s", (_, { right, wrong }) => {
  test("is called as it is meant", async () => expect(await failureOf(right)).toBe("nothing was refused"));
  test("refuses what cannot be", async () => {
    for (const [i, [values, call]] of wrong.entries()) {
      for (const value of values) {
        const failure = await failureOf(() => call(value));
        expect(failure, `row ${i}: ${typeof value} ${JSON.stringify(value)}`).toMatch(OURS);
      }
    }
  });
});

const withOptions = Object.entries(table).flatMap(([name, { options }]) => (options ? [[name, options] as const] : []));
test.each(withOptions)("%s refuses options it does not know", async (_, options) => {
  for (const option of ["nonsenseOption", "toString"])
    expect(await failureOf(() => options({ [option]: 1 }))).toContain(`there is no option "${option}"`);
});

// The class of a learner is made by `learner`; an error is made by nobody else.
testExports(table, rl, ["Learner", "FeedbackLogError"]);

test("sums of any length lose nothing, and weights of any size weigh", () => {
  expect(total([1e16, 1, 1, -1e16])).toBe(2);
  expect(total(new Float64Array(1e6).fill(0.1))).toBe(1e5);
  expect([total([1, Number.NaN]), total([Infinity, 1]), total([Infinity, -Infinity]), total([])]).toEqual([
    ...[Number.NaN, Infinity, Number.NaN, 0],
  ]);
  for (const weight of [1e-300, 1, 1e300]) {
    expect(rl.effectiveSampleSize([weight, weight, weight])).toBeCloseTo(3, 12);
    const all = rows({ example: "g", reward: 0 }).map((row) => ({ ...row, weight }));
    expect(rl.ips(all)).toEqual(rl.ips(rows({ example: "g", reward: 0 })));
  }
});

test("a log in memory holds copies, and what it began with as well", () => {
  const record = judgement();
  const log = rl.memoryLog([record]);
  record.reward = Number.NaN;
  expect(log.judgements()[0]!.reward).toBe(1);
});
