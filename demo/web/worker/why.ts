import { crossEntropy, type Engine, mul, noGrad, type Tensor } from "../../../src/index.ts";
import { type LabelledBatch, type Modality, type MultimodalNet, softmaxOf } from "../../../src/model/index.ts";
import type { Explanation } from "../shared/protocol.ts";
import type { Course } from "./course.ts";

/*
 * Why the network gave an answer.
 *
 * Modalities by their Shapley values (1953): the mean, over all orders in which the modalities can join, of what each
 * adds to the probability of the answer. Pixels and frames by integrated gradients (Sundararajan et al. 2017),
 * xᵢ · mean over α of ∂ log p(answer | α·x) / ∂xᵢ, from nothing (α = 0) to the example (α = 1). Words by what the
 * probability loses without each.
 */

/** Places between nothing and the example at which the gradient is taken. */
const STEPS = 12;

export async function explain(course: Course, id: string, action: number): Promise<Explanation> {
  const { net, task } = course;
  const example = task.find(id);
  if (!example) throw new Error(`there is no example "${id}".`);
  const batch = task.batchOf([example]);
  const there = presentIn(net, batch);
  const { shapley, base } = await shapleyOf(net, batch, there, action);
  const { pixels, frames } = await gradientsOf(net, batch, action);
  const shown = task.show(example);
  return {
    shapley,
    base,
    pixels: there.image ? pixels : null,
    frames: there.audio ? frames : null,
    words: there.text && shown.words.length > 0 ? await wordsOf(net, batch, action, shown.words.length) : null,
  };
}

function presentIn(net: MultimodalNet, { present }: LabelledBatch): Record<Modality, boolean> {
  const there = { image: false, text: false, audio: false };
  net.modalities.forEach((m, i) => {
    there[m] = present === undefined || (present as Float32Array)[i] === 1;
  });
  return there;
}

async function probabilitiesOf(net: MultimodalNet, record: () => Tensor): Promise<number[][]> {
  const logits = await net.engine.step(() => noGrad(record));
  const all = (await logits.data()) as Float32Array;
  logits.dispose();
  const { classes } = net.config;
  return Array.from({ length: all.length / classes }, (_, i) =>
    softmaxOf(all.subarray(i * classes, (i + 1) * classes)),
  );
}

async function shapleyOf(
  net: MultimodalNet,
  batch: LabelledBatch,
  there: Record<Modality, boolean>,
  action: number,
): Promise<{ shapley: Record<Modality, number>; base: number }> {
  const { modalities, engine } = net;
  const M = modalities.length;
  const subsets = 2 ** M;
  // The example once for each subset, so that all are one forward pass.
  const masks = Float32Array.from({ length: subsets * M }, (_, i) =>
    (Math.floor(i / M) >> (i % M)) & 1 && there[modalities[i % M]!] ? 1 : 0,
  );
  const rows = await probabilitiesOf(net, () =>
    net.forward({ ...repeated(engine, net, batch, subsets), present: masks }),
  );
  const value = rows.map((p) => p[action]!);
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const bits = (n: number) => n.toString(2).replaceAll("0", "").length;
  const shapley: Record<Modality, number> = { image: 0, text: 0, audio: 0 };
  modalities.forEach((m, i) => {
    for (let subset = 0; subset < subsets; subset++) {
      if ((subset >> i) & 1) continue;
      const size = bits(subset);
      const weight = (factorial(size) * factorial(M - size - 1)) / factorial(M);
      shapley[m] += weight * (value[subset | (1 << i)]! - value[subset]!);
    }
  });
  return { shapley, base: value[0]! };
}

/** An example's numbers `times` times over, each copy multiplied by what `scale` gives for its place. */
function copies(data: Float32Array | Int32Array, times: number, scale: (i: number) => number = () => 1) {
  const result =
    data instanceof Int32Array ? new Int32Array(data.length * times) : new Float32Array(data.length * times);
  for (let i = 0; i < times; i++)
    for (let j = 0; j < data.length; j++) result[i * data.length + j] = data[j]! * scale(i);
  return result;
}

function repeated(engine: Engine, net: MultimodalNet, batch: LabelledBatch, times: number) {
  const words = batch.words as Int32Array;
  return {
    size: times,
    image: copies(batch.image as Float32Array, times),
    words: engine.tensor(copies(words, times), [times, words.length], "i32"),
    audio: copies(batch.audio as Float32Array, times),
    frames: copies(batch.frames as Int32Array, times),
    ...(batch.present ? { present: copies(batch.present as Float32Array, times) } : {}),
  } satisfies Parameters<typeof net.forward>[0];
}

async function gradientsOf(net: MultimodalNet, batch: LabelledBatch, action: number) {
  const { engine, config, modalities } = net;
  const image = batch.image as Float32Array;
  const audio = batch.audio as Float32Array;
  const along = (data: Float32Array) => copies(data, STEPS, (i) => (i + 0.5) / STEPS) as Float32Array;
  const pixels = modalities.includes("image") ? engine.parameter(along(image), [STEPS, ...config.image!]) : undefined;
  const sounds = modalities.includes("audio")
    ? engine.parameter(along(audio), [STEPS, audio.length / config.audio!, config.audio!])
    : undefined;
  const labels = new Int32Array(STEPS).fill(action);
  const wanted = [pixels, sounds].filter((tensor) => tensor !== undefined);
  if (wanted.length === 0) return { pixels: null, frames: null };
  const gradients = await engine.step(() => {
    const input = {
      ...repeated(engine, net, batch, STEPS),
      ...(pixels && { image: pixels }),
      ...(sounds && { audio: sounds }),
    };
    // The loss is −log p; its mean over the copies is what is averaged here.
    const all = mul(crossEntropy(net.forward(input), labels), -1).backward();
    return wanted.map((tensor) => all.get(tensor));
  });
  const read = async (tensor: Tensor | undefined, data: Float32Array) => {
    if (!tensor) return undefined;
    const d = (await gradients[wanted.indexOf(tensor)]!.data()) as Float32Array;
    const sum = new Float32Array(data.length);
    for (let i = 0; i < d.length; i++) sum[i % data.length]! += d[i]! * data[i % data.length]!;
    return sum;
  };
  const [ofPixels, ofSound] = [await read(pixels, image), await read(sounds, audio)];
  for (const tensor of [...wanted, ...gradients]) tensor.dispose();
  const [, height = 1, width = 1] = config.image ?? [];
  return {
    pixels: ofPixels
      ? { height, width, data: scaled(summed(ofPixels, height * width, (i) => i % (height * width))) }
      : null,
    frames: ofSound
      ? [...scaled(summed(ofSound, audio.length / config.audio!, (i) => Math.floor(i / config.audio!)))]
      : null,
  };
}

/** Adds up what belongs together: the channels of a pixel, the bands of a frame. */
function summed(data: Float32Array, length: number, place: (i: number) => number): Float32Array {
  const result = new Float32Array(length);
  for (const [i, x] of data.entries()) result[place(i)]! += x;
  return result;
}

/** What spoke for the answer, from 0 to 1. */
function scaled(data: Float32Array): Float32Array {
  const most = data.reduce((a, b) => Math.max(a, b), 1e-9);
  return data.map((x) => Math.max(0, x) / most);
}

async function wordsOf(net: MultimodalNet, batch: LabelledBatch, action: number, count: number): Promise<number[]> {
  const words = batch.words as Int32Array;
  const n = Math.min(count, words.length);
  const times = words.length + 1; // always as many rows, so that the plan of the step is used again
  const rows = copies(words, times) as Int32Array;
  for (let i = 0; i < n; i++) rows[(i + 1) * words.length + i] = 0;
  const probabilities = await probabilitiesOf(net, () =>
    net.forward({
      ...repeated(net.engine, net, batch, times),
      words: net.engine.tensor(rows, [times, words.length], "i32"),
    }),
  );
  const whole = probabilities[0]![action]!;
  const lost = Float32Array.from({ length: n }, (_, i) => whole - probabilities[i + 1]![action]!);
  return [...scaled(lost)];
}
