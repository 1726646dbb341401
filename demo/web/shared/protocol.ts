import type { Modality } from "handgrad/model";

/* What the page and its worker say to each other: plain data that a message can carry. */

/** The digits that come with the page, or what the person brought. */
export type TaskName = "digits" | "own";

/** [C, H, W], 0 to 1. */
export interface Picture {
  channels: 1 | 3;
  height: number;
  width: number;
  data: Float32Array;
}

export interface Sound {
  /** -1 to 1. */
  samples: Float32Array;
  rate: number;
}

/** [frames, bands], as the network hears it. */
export interface Spectrogram {
  data: Float32Array;
  frames: number;
  bands: number;
}

/** An example as a person is shown it; null for what is not there. */
export interface Shown {
  id: string;
  label: number | null;
  picture: Picture | null;
  /** The picture before it was degraded. */
  clean: Picture | null;
  sound: Sound | null;
  spectrogram: Spectrogram | null;
  words: readonly string[];
  /** Whose voice it is, where that is known. */
  speaker: string | null;
}

export interface Answered {
  shown: Shown;
  probabilities: readonly number[];
  /** The class that the network proposes. */
  action: number;
}

/** An answer that waits for a judgement. */
export interface Question extends Answered {
  answer: string;
}

/** What a person says to an answer; with `label` they also say what is right. */
export interface Verdict {
  reward: 1 | -1 | null;
  label?: number;
}

export interface Counts {
  judged: number;
  right: number;
  wrong: number;
  skipped: number;
  /** How many of those judged were judged by a simulated person. */
  simulated: number;
  /** Judgements that no update has learned from yet. */
  waiting: number;
}

/** One update of the network. */
export interface Update {
  judgements: number;
  reward: number;
  entropy: number;
  kl: number;
  loss: number;
  /** Mean milliseconds of a step of training. */
  stepMs: number;
}

interface HeldOut {
  judgements: number;
  accuracy: number;
  /** The ends of its 95 % interval, which earlier versions did not keep. */
  low?: number;
  high?: number;
}

/** How learning went: what the charts are drawn from. */
export interface History {
  updates: Update[];
  heldOut: HeldOut[];
}

export interface Progress extends History {
  counts: Counts;
}

/** Right answers to held-out examples, with the 95 % interval of their share. */
export interface Accuracy {
  right: number;
  of: number;
  low: number;
  high: number;
}

/** A network beside an earlier one, on the same examples. */
export interface Comparison {
  /** How many became right, and how many wrong. */
  gained: number;
  lost: number;
  /** "same" where chance alone may have done it. */
  verdict: "better" | "worse" | "same";
}

/** How good the network is that answers, by the held-out examples. */
export interface Standing {
  accuracy: Accuracy;
  /** Judgements that it may have learned from. */
  judgements: number;
  /** Beside the first one that was measured, after so many judgements. */
  progress: (Comparison & { judgements: number }) | null;
  /** Beside the one that answered before it. */
  change: Comparison | null;
  /** What was learned since and is not shown, since it answers worse. */
  held: { accuracy: Accuracy; judgements: number } | null;
  display: Displayed[];
}

/** A held-out example that stays in view. */
export interface Displayed {
  id: string;
  label: number;
  picture: Picture | null;
  words: readonly string[];
  answer: number;
  /** What was answered before the last change; null where nothing was. */
  before: number | null;
}

/** What learning from a judgement did to the answer that was judged. */
export interface Effect {
  example: string;
  /** The class that the person spoke of: the right one where they named it, else what was answered. */
  class: number;
  /** Whether they said that it is this class. */
  approved: boolean;
  /** Its probability before and after. */
  before: number;
  after: number;
}

/** What the network can and cannot, by the held-out examples. */
export interface Insight {
  accuracy: number;
  examples: number;
  /** confusion[label][answer] */
  confusion: number[][];
  /** Accuracy by what the network is given: "image", "image+text", …, "all". */
  byModalities: Record<string, number>;
  /** Those whose probabilities are the most even, the most unsure first. */
  unsure: Answered[];
}

/** Why the network gave an answer. */
export interface Explanation {
  /** By how much each modality raised the probability of the answer; they sum to p(answer) − `base`. */
  shapley: Record<Modality, number>;
  /** The answer's probability where nothing is shown. */
  base: number;
  /** How much each pixel, word and frame counted, 0 to 1. */
  pixels: { height: number; width: number; data: Float32Array } | null;
  words: readonly number[] | null;
  frames: readonly number[] | null;
}

/** What an own example is made of, as the page decoded it. */
export interface UserInput {
  /** A square picture. */
  picture?: Picture | undefined;
  sound?: Sound | undefined;
  text?: string | undefined;
}

/** A class of an own task. Its id is never given to another one, so that examples and judgements stay with it. */
export interface OwnClass {
  id: number;
  name: string;
}

export interface OwnExample {
  id: string;
  /** Id of its class. */
  label: number | null;
  /** Kept out of training, to measure by. */
  heldOut: boolean;
  picture: Picture | null;
  text: string;
  seconds: number;
}

export interface OwnTask {
  classes: OwnClass[];
  /** Classes that were taken away, with whatever belongs to them; they can be brought back. */
  retired: OwnClass[];
  examples: OwnExample[];
  /** Whether there are examples enough. */
  trainable: boolean;
  trained: boolean;
}

interface KernelTime {
  kernel: string;
  count: number;
  milliseconds: number;
}

export interface EngineReport {
  adapter: string;
  parameters: number;
  dispatches: number;
  submits: number;
  /** Uploads, buffers, pipelines and bind groups that the last step made. */
  created: number;
  hostMs: number;
  bytes: number;
  kernels: KernelTime[];
}

/** What a device does at best: multiply-adds, and bytes copied. */
export interface BenchDevice {
  adapter: string;
  gflops: number;
  gbs: number;
}

export interface BenchRow {
  op: string;
  shape: string;
  ms: number | null;
  gflops: number | null;
  share: number | null;
  dispatches: number;
  error?: string;
}

/** What happens in the worker without being asked. */
export type WorkerEvent =
  | { kind: "progress"; task: TaskName; progress: Progress }
  | { kind: "question"; task: TaskName; question: Question | null }
  | { kind: "learning"; task: TaskName; on: boolean }
  | { kind: "learned"; task: TaskName; effects: Effect[] }
  | { kind: "measured"; task: TaskName; standing: Standing | null }
  | { kind: "simulated"; on: boolean }
  | { kind: "training"; done: number; of: number; loss: number }
  | { kind: "lost" }
  | { kind: "recovered" }
  | { kind: "blocked" }
  | { kind: "error"; message: string };

interface Opened {
  adapter: string;
  /** Whether the adapter is a processor and not a GPU. */
  software: boolean;
  classes: readonly string[];
  question: Question | null;
  progress: Progress;
  standing: Standing | null;
}

/** Why the page cannot begin. */
export type StartupError = "no-webgpu" | "no-adapter" | "other-tab" | "storage" | "data" | "other";

export type Opening = { ok: true; opened: Opened } | { ok: false; startupError: StartupError; message: string };
