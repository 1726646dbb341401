import {
  checkFunction,
  checkList,
  checkName,
  checkNumber,
  checkOptions,
  checkText,
  describe,
  type Known,
  type NumberRule,
  number,
  placeIn,
} from "../check.ts";
import type { Random } from "../data/random.ts";
import { type Batch, modalities } from "../model/index.ts";
import { checkOptimizer, type Optimizer } from "../optim/index.ts";
import type { Identified } from "./algorithms/algorithm.ts";
import { checkPolicy } from "./algorithms/algorithm.ts";
import {
  type AlgorithmSettings,
  type AlgorithmState,
  baselineNames,
  type Labeled,
  type Method,
  methods,
  type Policy,
  type Pool,
  type Recurring,
} from "./algorithms/index.ts";
import type { Query } from "./answers.ts";
import { checkObject } from "./check.ts";
import type { FeedbackLog } from "./log.ts";

/* What a learner is given and its state, and the checks of both: before anything is made of them. */

/** What can be set of a learner beside its data: method, seed, answers, and the settings of its algorithms. */
export interface LearnerSettings extends AlgorithmSettings {
  /** How to learn. Default: "posterior". */
  method?: Method;
  /** Of the answers that are sampled and of everything random in the algorithms. Default 0. */
  seed?: number;
  /**
   * "sampled": from the policy's probabilities, as policy gradients need it. "greedy": the argmax, with an optimism bonus for
   * rarely labeled actions (`optimisticArgmax`). Default: greedy for "posterior", else sampled.
   */
  answers?: "sampled" | "greedy";
}

/** What a learner is made of: settings, log and data. */
export interface LearnerOptions<E extends Identified> extends LearnerSettings {
  /** Where judgements are written, and what updates learn from. */
  log: FeedbackLog;
  /** The policy of the KL penalty. Default: the behavior log-probabilities of the log. */
  reference?: Policy;
  /** Turns examples into a batch of the network. Default: that of `handgrad/data`, for examples as it makes them. */
  batchOf?: (examples: readonly E[]) => Batch;
  /** Finds an example by the id that a log of an earlier run gives. */
  find?: (id: string) => E | undefined;
  /** Examples whose label is known. */
  labeled?: readonly Labeled<E>[];
  /** Examples without label or judgement that may be learned from (`unlabeledBatch`). */
  unlabeled?: Pool<E>;
  /** A part of examples that comes again word for word, such as a hint. */
  recurring?: Recurring<E>;
  /** Changes an example without changing its label, before a step. Default: no augmentation. */
  augment?: (example: E, random: Random) => E;
  /** A name for this run of the program, written with every judgement and part of its id. Default: a new one. */
  session?: string;
}

/** A learner's state beside weights, optimizer and log, to resume exactly. */
export interface LearnerState {
  /** How many updates there were. */
  updates: number;
  /** How many judgements were learned from. */
  learned: number;
  /** Their ids. Missing in what version 0.1 wrote: the first of the log then. */
  learnedFrom?: readonly string[];
  /** How many labels and approving judgements each action had by then. */
  labelCounts?: readonly number[];
  /** The state of each algorithm. */
  algorithms: readonly AlgorithmState[];
}

/** Shares that mistaken judgements may have: at a half what people say tells nothing. */
const underHalf: NumberRule = { holds: (x) => x >= 0 && x < 0.5, expected: 'at least 0 and under 0.5, or "estimated"' };
/** A limit may be none. */
const limit: NumberRule = { holds: (x) => x > 0, expected: "a number above 0" };
const flag = (x: unknown) => typeof x === "boolean" || `${describe(x)}, expected true or false`;

type Check = NumberRule | ((value: unknown) => true | string);

/** What each setting of the algorithms must be. */
const RULES: Readonly<Record<keyof AlgorithmSettings, Check>> = {
  baseline: (x) =>
    (baselineNames as readonly unknown[]).includes(x) || `${describe(x)}, expected one of ${baselineNames.join(", ")}`,
  baselineDecay: number.share,
  valueRate: number.share,
  rewardLimit: limit,
  whiten: flag,
  entropyCoef: number.finite,
  klCoef: number.finite,
  clip: number.positive,
  epochs: number.wholeAtLeast1,
  stepsPerUpdate: number.wholeAtLeast1,
  batch: number.wholeAtLeast1,
  labelNoise: (x) =>
    x === "estimated" ||
    (typeof x === "number" && underHalf.holds(x)) ||
    `${describe(x)}, expected ${underHalf.expected}`,
  weightLimit: limit,
  mixture: shares,
  unlabeledBatch: number.wholeAtLeast0,
  prior: number.atLeast0,
  modalityMask: shares,
  trust: number.share,
};

function shares(x: unknown): true | string {
  const holds =
    Array.isArray(x) && x.length === 3 && x.every((part) => typeof part === "number" && number.atLeast0.holds(part));
  return (
    (holds && x.some((part) => part > 0)) || `${describe(x)}, expected three numbers of at least 0 that are not all 0`
  );
}

const KNOWN: Known<LearnerOptions<Identified>> = {
  ...(Object.fromEntries(Object.keys(RULES).map((name) => [name, true])) as Known<AlgorithmSettings>),
  method: true,
  seed: true,
  answers: true,
  log: true,
  reference: true,
  batchOf: true,
  find: true,
  labeled: true,
  unlabeled: true,
  recurring: true,
  augment: true,
  session: true,
};

/** @throws TypeError or RangeError naming the first option that is not known, missing, or cannot be. */
export function checkLearner<E extends Identified>(
  net: Policy,
  optimizer: Optimizer,
  options: LearnerOptions<E>,
): void {
  const fail = (what: string, value: unknown, expected: string) =>
    new TypeError(`learner: ${what} is ${describe(value)}, expected ${expected}.`);
  checkOptions<object>("learner", options, KNOWN);
  if (options === undefined) throw fail("the object of options", options, "at least { log }");
  checkPolicy("learner", "the network", net);
  checkOptimizer("learner", optimizer);
  const classes = net.numOutputs;
  const { log, method, answers, seed, session } = options;
  if (typeof log?.append !== "function" || typeof log.judgements !== "function" || typeof log.records !== "function")
    throw fail("log", log, "a feedback log, such as memoryLog()");
  if (method !== undefined) checkName("learner", "method", method, methods);
  if (answers !== undefined) checkName("learner", "answers", answers, ["sampled", "greedy"]);
  if (seed !== undefined) checkNumber("learner", "seed", seed, number.wholeAtLeast0);
  if (session !== undefined && (typeof session !== "string" || session === ""))
    throw fail("session", session, "a text that is not empty");
  for (const name of ["batchOf", "find", "augment"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function")
      throw fail(name, options[name], "a function");
  }
  for (const name of Object.keys(RULES) as (keyof AlgorithmSettings)[]) {
    const [value, rule] = [options[name], RULES[name]];
    if (value === undefined) continue;
    if (typeof rule !== "function") checkNumber("learner", name, value, rule);
    else {
      const fault = rule(value);
      if (fault !== true) throw new RangeError(`learner: ${name} is ${fault}.`);
    }
  }
  checkExamples(options, classes);
}

/** @throws TypeError or RangeError naming what of the examples, or of those who give them, cannot be. */
function checkExamples<E extends Identified>(options: LearnerOptions<E>, classes: number): void {
  const { reference, labeled, unlabeled, recurring } = options;
  if (reference !== undefined) checkPolicy("learner", "reference", reference, classes);
  if (labeled !== undefined) {
    checkList("learner", "labeled", labeled, "a list of examples that have a label");
    for (const [i, example] of labeled.entries()) {
      checkObject("learner", `labeled[${i}]`, example, "an example that has a label");
      checkText("learner", `the id of labeled[${i}]`, example.id);
      checkNumber("learner", `the label of example ${describe(example.id)}`, example.label, placeIn(classes));
    }
  }
  if (unlabeled !== undefined) {
    if (!Array.isArray(unlabeled)) checkObject("learner", "unlabeled", unlabeled, "{ length, at }");
    checkNumber("learner", "the length of unlabeled", unlabeled.length, number.wholeAtLeast0);
    checkFunction("learner", "unlabeled.at", unlabeled.at, "a function that gives example i");
  }
  if (recurring !== undefined) {
    checkObject("learner", "recurring", recurring, "{ key, rest }");
    checkOptions<object>("learner: recurring", recurring, { key: true, rest: true } as Known<object>);
    checkFunction("learner", "recurring.key", recurring.key, "a function that names the part that comes again");
    checkList("learner", "recurring.rest", recurring.rest, "a list of modalities");
    for (const m of recurring.rest) checkName("learner", "a modality of recurring.rest", m, modalities);
  }
}

/** How each example is asked about, complete. @throws TypeError or RangeError naming what cannot be. */
export function checkQueries(examples: readonly Identified[], asking: Query | readonly Query[]): Required<Query>[] {
  checkList("actOn", "examples", examples, "a list of examples");
  if (Array.isArray(asking) && asking.length !== examples.length)
    throw new RangeError(`actOn: ${asking.length} queries for ${examples.length} examples, expected as many.`);
  return examples.map((example, i) => {
    if (typeof example?.id !== "string" || example.id === "")
      throw new TypeError(
        `act: the id of example ${i} is ${describe(example?.id)}, expected a text that is not empty.`,
      );
    const one: Query = Array.isArray(asking) ? asking[i] : asking;
    checkOptions("act", one, { acquisition: true, inclusionProbability: true, purpose: true });
    const { acquisition = "uniform", inclusionProbability = null, purpose = "training" } = one;
    if (typeof acquisition !== "string" || acquisition === "")
      throw new TypeError(`act: acquisition is ${describe(acquisition)}, expected a text that is not empty.`);
    if (inclusionProbability !== null) checkNumber("act", "inclusionProbability", inclusionProbability, CHANCE);
    checkName("act", "purpose", purpose, ["training", "evaluation"]);
    return { acquisition, inclusionProbability, purpose };
  });
}

const CHANCE: NumberRule = { holds: (x) => x > 0 && x <= 1, expected: "a number above 0 and at most 1, or null" };

/** A learner's state with today's names: version 0.1 called label counts `confirmed`, and the algorithms' states `memories`. */
export function upgradedState(state: LearnerState): LearnerState {
  if (typeof state !== "object" || state === null) return state;
  const { confirmed, memories, ...rest } = state as LearnerState & {
    confirmed?: number[];
    memories?: AlgorithmState[];
  };
  return {
    ...rest,
    ...(confirmed === undefined ? {} : { labelCounts: confirmed }),
    ...(memories === undefined ? {} : { algorithms: memories }),
  };
}

/** @throws TypeError or RangeError naming what of a learner's state cannot be. */
export function checkState(state: LearnerState, classes: number, count: number): void {
  const op = "learner.restore";
  if (typeof state !== "object" || state === null)
    throw new TypeError(`${op}: the state is ${describe(state)}, expected what \`state()\` gave.`);
  checkOptions(op, state, { updates: true, learned: true, learnedFrom: true, labelCounts: true, algorithms: true });
  const { updates, learned, learnedFrom, labelCounts, algorithms = [] } = state;
  checkNumber(op, "updates", updates, number.wholeAtLeast0);
  checkNumber(op, "learned", learned, number.wholeAtLeast0);
  const refuse = (what: string) => {
    throw new RangeError(`${op}: ${what}. The state is damaged, or of another learner.`);
  };
  if (learnedFrom !== undefined) {
    if (!Array.isArray(learnedFrom) || !learnedFrom.every((id) => typeof id === "string"))
      refuse("learnedFrom is no list of ids");
    if (new Set(learnedFrom).size !== learned) refuse(`learned is ${learned}, learnedFrom names ${learnedFrom.length}`);
  }
  const areNumbers = (x: unknown) => Array.isArray(x) && x.every(Number.isFinite);
  if (
    labelCounts !== undefined &&
    !(areNumbers(labelCounts) && labelCounts.length === classes && labelCounts.every((n) => n >= 0))
  )
    refuse(`labelCounts is no list of ${classes} counts`);
  const areStates =
    Array.isArray(algorithms) &&
    algorithms.length <= count &&
    algorithms.every((one) => typeof one === "object" && one !== null && Object.values(one).every(areNumbers));
  if (!areStates) refuse(`algorithms are no lists of finite numbers for ${count} algorithms`);
}
