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
import { type Batch, modalities, type Optimiser } from "../model/index.ts";
import type { Asking } from "./answers.ts";
import { checkObject } from "./check.ts";
import type { FeedbackLog } from "./log.ts";
import {
  baselineNames,
  type Memory,
  type Method,
  methods,
  type Policy,
  type Pool,
  type Recurring,
  type RuleSettings,
} from "./rules/index.ts";
import { checkOptimiser, checkPolicy } from "./rules/rule.ts";

/* What a learner is given and what it remembers, and the checks of both: before anything is made of them. */

export interface LearnerSettings extends RuleSettings {
  /** How to learn. Default: "beliefs". */
  method?: Method;
  /** Of the answers that are sampled and of everything random in the rules. Default 0. */
  seed?: number;
  /**
   * "sampled": by the policy's probabilities, as policy gradients need it; "likeliest": the most judgements then are
   * "right", and say which label it is; what was hardly ever confirmed has the benefit of the doubt (`rules/confirmed.ts`). Default: the likeliest for "beliefs", else sampled.
   */
  answers?: "sampled" | "likeliest";
}

export interface LearnerOptions<E extends Example> extends LearnerSettings {
  log: FeedbackLog;
  /** The policy that the leash holds to. Default: what the network itself said when it answered, as the log has it. */
  reference?: Policy;
  /** Turns examples into a batch of the network. Default: that of `handgrad/data`, for examples as it makes them. */
  batchOf?: (examples: readonly E[]) => Batch;
  /** Finds an example that a log of an earlier session speaks of. */
  find?: (id: string) => E | undefined;
  /** Examples whose label is known. */
  labelled?: readonly (E & { label: number })[];
  /** Examples that may be learned from though nobody judges them, such as all that came in so far. */
  unlabelled?: Pool<E>;
  /** A part of examples that comes again word for word, such as a hint. */
  recurring?: Recurring<E>;
  /** Changes an example a little before it is learned from, such that its label stays. Default: not. */
  vary?: (example: E, random: Random) => E;
  /** A name for this run of the program, written with every judgement and part of its id. Default: a new one. */
  session?: string;
}

export interface Example {
  readonly id: string;
}

/** What a learner remembers beside the weights and the log, to go on exactly. */
export interface LearnerState {
  updates: number;
  /** How many judgements were learned from, and their ids: what is new is told by them. */
  learned: number;
  /** Missing in what was kept by version 0.1: the first of the log then. */
  learnedFrom?: readonly string[];
  /** How often each action had been confirmed by then. */
  confirmed?: readonly number[];
  /** What each rule remembers. */
  memories: readonly Memory[];
}

/** Shares that mistaken judgements may have: at a half what people say tells nothing. */
const underHalf: NumberRule = { holds: (x) => x >= 0 && x < 0.5, expected: 'at least 0 and under 0.5, or "estimated"' };
/** A limit may be none. */
const limit: NumberRule = { holds: (x) => x > 0, expected: "a number above 0" };
const flag = (x: unknown) => typeof x === "boolean" || `${describe(x)}, expected true or false`;

type Check = NumberRule | ((value: unknown) => true | string);

/** What each setting of the rules must be. */
const RULES: Readonly<Record<keyof RuleSettings, Check>> = {
  baseline: (x) =>
    (baselineNames as readonly unknown[]).includes(x) || `${describe(x)}, expected one of ${baselineNames.join(", ")}`,
  baselineDecay: number.share,
  valueRate: number.share,
  rewardLimit: limit,
  whiten: flag,
  entropy: number.finite,
  leash: number.finite,
  clip: number.positive,
  epochs: number.wholeAtLeast1,
  replays: number.wholeAtLeast1,
  batch: number.wholeAtLeast1,
  noise: (x) =>
    x === "estimated" ||
    (typeof x === "number" && underHalf.holds(x)) ||
    `${describe(x)}, expected ${underHalf.expected}`,
  weightLimit: limit,
  mixture: shares,
  scanned: number.wholeAtLeast0,
  prior: number.atLeast0,
  shown: shares,
  trust: number.share,
};

function shares(x: unknown): true | string {
  const holds =
    Array.isArray(x) && x.length === 3 && x.every((part) => typeof part === "number" && number.atLeast0.holds(part));
  return (
    (holds && x.some((part) => part > 0)) || `${describe(x)}, expected three numbers of at least 0 that are not all 0`
  );
}

const KNOWN: Known<LearnerOptions<Example>> = {
  ...(Object.fromEntries(Object.keys(RULES).map((name) => [name, true])) as Known<RuleSettings>),
  method: true,
  seed: true,
  answers: true,
  log: true,
  reference: true,
  batchOf: true,
  find: true,
  labelled: true,
  unlabelled: true,
  recurring: true,
  vary: true,
  session: true,
};

/** @throws TypeError or RangeError naming the first option that is not known, missing, or cannot be. */
export function checkLearner<E extends Example>(net: Policy, optimiser: Optimiser, options: LearnerOptions<E>): void {
  const fail = (what: string, value: unknown, expected: string) =>
    new TypeError(`learner: ${what} is ${describe(value)}, expected ${expected}.`);
  checkOptions<object>("learner", options, KNOWN);
  if (options === undefined) throw fail("the object of options", options, "at least { log }");
  checkPolicy("learner", "the network", net);
  checkOptimiser("learner", optimiser);
  const { classes } = net.config;
  const { log, method, answers, seed, session } = options;
  if (typeof log?.append !== "function" || typeof log.judgements !== "function" || typeof log.records !== "function")
    throw fail("log", log, "a feedback log, such as memoryLog()");
  if (method !== undefined) checkName("learner", "method", method, methods);
  if (answers !== undefined) checkName("learner", "answers", answers, ["sampled", "likeliest"]);
  if (seed !== undefined) checkNumber("learner", "seed", seed, number.wholeAtLeast0);
  if (session !== undefined && (typeof session !== "string" || session === ""))
    throw fail("session", session, "a text that is not empty");
  for (const name of ["batchOf", "find", "vary"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "function")
      throw fail(name, options[name], "a function");
  }
  for (const name of Object.keys(RULES) as (keyof RuleSettings)[]) {
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
function checkExamples<E extends Example>(options: LearnerOptions<E>, classes: number): void {
  const { reference, labelled, unlabelled, recurring } = options;
  if (reference !== undefined) checkPolicy("learner", "reference", reference, classes);
  if (labelled !== undefined) {
    checkList("learner", "labelled", labelled, "a list of examples that have a label");
    for (const [i, example] of labelled.entries()) {
      checkObject("learner", `labelled[${i}]`, example, "an example that has a label");
      checkText("learner", `the id of labelled[${i}]`, example.id);
      checkNumber("learner", `the label of example ${describe(example.id)}`, example.label, placeIn(classes));
    }
  }
  if (unlabelled !== undefined) {
    if (!Array.isArray(unlabelled)) checkObject("learner", "unlabelled", unlabelled, "{ length, at }");
    checkNumber("learner", "the length of unlabelled", unlabelled.length, number.wholeAtLeast0);
    checkFunction("learner", "unlabelled.at", unlabelled.at, "a function that gives example i");
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
export function checkAsking(examples: readonly Example[], asking: Asking | readonly Asking[]): Required<Asking>[] {
  checkList("actOn", "examples", examples, "a list of examples");
  if (Array.isArray(asking) && asking.length !== examples.length)
    throw new RangeError(`actOn: ${asking.length} ways of asking for ${examples.length} examples, expected as many.`);
  return examples.map((example, i) => {
    if (typeof example?.id !== "string" || example.id === "")
      throw new TypeError(
        `act: the id of example ${i} is ${describe(example?.id)}, expected a text that is not empty.`,
      );
    const one: Asking = Array.isArray(asking) ? asking[i] : asking;
    checkOptions("act", one, { chosenBy: true, chosenWith: true, purpose: true });
    const { chosenBy = "uniform", chosenWith = null, purpose = "training" } = one;
    if (typeof chosenBy !== "string" || chosenBy === "")
      throw new TypeError(`act: chosenBy is ${describe(chosenBy)}, expected a text that is not empty.`);
    if (chosenWith !== null) checkNumber("act", "chosenWith", chosenWith, CHANCE);
    checkName("act", "purpose", purpose, ["training", "evaluation"]);
    return { chosenBy, chosenWith, purpose };
  });
}

const CHANCE: NumberRule = { holds: (x) => x > 0 && x <= 1, expected: "a number above 0 and at most 1, or null" };

/** @throws TypeError or RangeError naming what of a learner's state cannot be. */
export function checkState(state: LearnerState, classes: number, rules: number): void {
  const op = "learner.restore";
  if (typeof state !== "object" || state === null)
    throw new TypeError(`${op}: the state is ${describe(state)}, expected what \`state()\` gave.`);
  checkOptions(op, state, { updates: true, learned: true, learnedFrom: true, confirmed: true, memories: true });
  const { updates, learned, learnedFrom, confirmed, memories = [] } = state;
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
    confirmed !== undefined &&
    !(areNumbers(confirmed) && confirmed.length === classes && confirmed.every((n) => n >= 0))
  )
    refuse(`confirmed is no list of ${classes} counts`);
  const areMemories =
    Array.isArray(memories) &&
    memories.length <= rules &&
    memories.every((one) => typeof one === "object" && one !== null && Object.values(one).every(areNumbers));
  if (!areMemories) refuse(`memories are no lists of finite numbers for ${rules} rules`);
}
