import { checkFlag, checkList, checkName, checkNumber, checkOptions, type Known, number } from "../check.ts";
import type { FuseKind as Shares } from "../kernels/fuse.ts";

/** The modalities by name, in the order of features, `present` and fusion. */
export const modalities = ["image", "text", "audio"] as const;
/** What a network can read: the name of an encoder. */
export type Modality = (typeof modalities)[number];

/** The fusions by name. */
export const fusions = ["concat", "average", "weighted", "gated", "lowRank"] as const;
/**
 * How the modalities' features become one vector: concatenation, an average with equal, learned or example-dependent (gated)
 * weights, or low-rank products.
 */
export type Fusion = Shares | "gated" | "lowRank";

/** The tasks by name, the default first. */
export const tasks = ["multiclass", "binary", "multilabel", "regression"] as const;
/** What the head answers: one class of several ("multiclass"), yes or no, any of several labels, or numbers. */
export type Task = (typeof tasks)[number];

/**
 * What a network is made of: plain data, saved with its weights. Which of `image`, `vocabulary` and `audio` are given
 * decides which modalities it takes; at least one.
 */
export interface MultimodalConfig {
  /** Channels, height and width of an image. */
  image?: readonly [number, number, number] | undefined;
  /** Words, padding (0) and unknown (1) among them. */
  vocabulary?: number | undefined;
  /** Numbers that describe one frame of sound. */
  audio?: number | undefined;
  /** Numbers that the head gives: classes, labels or values. 1 for "binary", and for "regression" unless given. */
  classes?: number;
  /** What the head answers, and by which loss it learns. Default "multiclass". */
  task?: Task;
  /** How the modalities' features become one vector. */
  fusion: Fusion;

  /** Channels of the convolutions, each followed by ReLU. Any number of them. */
  channels?: readonly number[];
  /** Whether a max pooling that halves the image follows each convolution. Default: it does. */
  pool?: readonly boolean[] | undefined;

  /** Size of a word vector. */
  words?: number;
  /** How words become features: their mean, all of them side by side, or a GRU's last state. */
  text?: "mean" | "flatten" | "gru";
  /** Words of a text: "flatten" takes texts of this length alone, and an ONNX export of "gru" does. */
  tokens?: number | undefined;
  /** Size of the state of the text's GRU. */
  sentence?: number;

  /** The cell that reads the frames of sound. */
  recurrence?: "gru" | "lstm";
  /** Size of its state. */
  hidden?: number;
  /** Layers of it, each over the states of the one before. */
  layers?: number;
  /** Whether it reads both ways. */
  bidirectional?: boolean;

  /** Size of the fused features, to which every fusion but concatenation projects. */
  projection?: number;
  /** Products that low-rank fusion adds up. */
  rank?: number;
  /** Size of the head's hidden layer. */
  head?: number;
  /** Probability that a number of the head's hidden layer is dropped in training. */
  dropout?: number;
  /** Probability that a modality of an example is hidden in training. */
  modalityDropout?: number;
}

const configOptions: Known<MultimodalConfig> = {
  image: true,
  vocabulary: true,
  audio: true,
  classes: true,
  task: true,
  fusion: true,
  channels: true,
  pool: true,
  words: true,
  text: true,
  tokens: true,
  sentence: true,
  recurrence: true,
  hidden: true,
  layers: true,
  bidirectional: true,
  projection: true,
  rank: true,
  head: true,
  dropout: true,
  modalityDropout: true,
};

/** What may be absent for good: a modality, and what belongs to one kind of encoder. */
type Absent = "image" | "vocabulary" | "audio" | "tokens" | "pool";
/** A configuration with every default filled in. */
export type FullConfig = Required<Omit<MultimodalConfig, Absent>> & Pick<MultimodalConfig, Absent>;

const defaults = {
  task: "multiclass",
  channels: [16, 32],
  words: 32,
  text: "mean",
  sentence: 64,
  recurrence: "gru",
  hidden: 64,
  layers: 1,
  bidirectional: false,
  projection: 64,
  rank: 4,
  head: 128,
  dropout: 0,
  modalityDropout: 0,
} as const;

/** A configuration as version 0.1 wrote it, with today's names. */
export function upgradedConfig(config: object): object {
  const tasks = { class: "multiclass", labels: "multilabel", values: "regression" } as const;
  const task = (config as { task?: unknown }).task;
  return typeof task === "string" && Object.hasOwn(tasks, task)
    ? { ...config, task: tasks[task as keyof typeof tasks] }
    : config;
}

/** Fills in the defaults. @throws RangeError or TypeError naming the option that cannot be, or that there is not. */
export function fullConfig(given: MultimodalConfig): FullConfig {
  checkOptions("MultimodalNet", given, configOptions);
  const config = { ...defaults, ...given } as FullConfig;
  if (given.classes === undefined && (config.task === "binary" || config.task === "regression")) config.classes = 1;
  check(config);
  return config;
}

/** Option of the configuration that gives each modality its size. */
export const optionOf = { image: "image", text: "vocabulary", audio: "audio" } as const satisfies Record<
  Modality,
  keyof MultimodalConfig
>;

const whole = {
  always: ["classes", "channels", "projection", "head"],
  image: ["image"],
  text: ["vocabulary", "words", "sentence"],
  audio: ["audio", "hidden", "layers"],
} as const;

function check(config: FullConfig): void {
  const fail = (name: string, expected: string) => {
    throw new RangeError(`MultimodalNet: ${name} is ${config[name as keyof FullConfig]}, expected ${expected}.`);
  };
  const has = modalities.filter((m) => config[optionOf[m]] !== undefined);
  if (has.length === 0)
    throw new RangeError("MultimodalNet: it takes nothing. Give at least one of image, vocabulary and audio.");
  checkList("MultimodalNet", "channels", config.channels, "an array of numbers");
  if (config.pool) checkList("MultimodalNet", "pool", config.pool, "an array of true and false");
  for (const name of [
    ...whole.always,
    ...has.flatMap((m) => whole[m]),
    ...(config.fusion === "lowRank" ? ["rank"] : []),
  ]) {
    const found = config[name as keyof FullConfig];
    for (const n of name === "channels" || name === "image" ? [found].flat() : [found])
      if (!Number.isInteger(n) || (n as number) < 1) fail(name, "whole numbers of at least 1");
  }
  for (const name of ["dropout", "modalityDropout"] as const)
    checkNumber("MultimodalNet", name, config[name], number.under1);
  const choices = { fusion: fusions, task: tasks, text: ["mean", "flatten", "gru"], recurrence: ["gru", "lstm"] };
  for (const [name, allowed] of Object.entries(choices)) {
    checkName("MultimodalNet", name, config[name as keyof typeof choices], allowed);
  }
  checkFlag("MultimodalNet", "bidirectional", config.bidirectional);
  if (config.task === "binary" && config.classes !== 1) fail("classes", '1, as the task is "binary"');
  if (config.tokens !== undefined) checkNumber("MultimodalNet", "tokens", config.tokens, number.wholeAtLeast1);
  if (config.text === "flatten" && has.includes("text") && !(Number.isInteger(config.tokens) && config.tokens! >= 1))
    fail("tokens", 'a whole number of at least 1, as the text encoder is "flatten"');
  if (config.image) checkImage(config, config.image, fail);
}

function checkImage(
  config: FullConfig,
  image: readonly number[],
  fail: (name: string, expected: string) => void,
): void {
  if (image.length !== 3) fail("image", "channels, height and width");
  const { channels, pool } = config;
  if (pool && !(pool.length === channels.length && pool.every((p) => typeof p === "boolean")))
    fail("pool", `${channels.length} times true or false, one for each of the channels ${channels}`);
  const halvings = channels.filter((_, i) => pool?.[i] ?? true).length;
  if (Math.min(image[1]!, image[2]!) < 2 ** halvings)
    fail("image", `sides of at least ${2 ** halvings}, as ${halvings} poolings halve it`);
}
