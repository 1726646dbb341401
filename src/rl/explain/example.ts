import { Tensor } from "../../autograd/index.ts";
import { checkList, checkNumber, describe, floats, placeIn, wholeNumbers } from "../../check.ts";
import { type Batch, type Modality, MultimodalNet, presentOf } from "../../model/index.ts";
import { checkObject } from "../check.ts";

/** The fields of a batch that hold numbers of each example. */
const fields = ["image", "words", "audio", "frames", "present"] as const;
const whole: readonly string[] = ["words", "frames"];
/** What the network reads for a modality. */
const fieldOf: Readonly<Record<Modality, "image" | "words" | "audio">> = {
  image: "image",
  text: "words",
  audio: "audio",
};

/** Refuses what is no network of several modalities, before anything is asked of it. */
export function checkNet(operation: string, net: MultimodalNet): void {
  if (!(net instanceof MultimodalNet))
    throw new TypeError(`${operation}: net is ${describe(net)}, expected a MultimodalNet.`);
}

/** Refuses what is none of the network's actions. */
export const checkAction = (operation: string, what: string, net: MultimodalNet, action: unknown): void =>
  checkNumber(operation, what, action, placeIn(net.config.classes));

/**
 * A batch of one example, in typed arrays of what the network takes: Float32Array, and Int32Array for words and frames.
 *
 * @throws TypeError or RangeError where it holds tensors, lacks what the network takes, or is no example.
 */
export function oneOf(op: string, net: MultimodalNet, batch: Batch): Batch {
  checkObject(op, "the batch", batch, "a batch of one example");
  const one: Batch = { size: 1 };
  if (batch.size !== undefined && batch.size !== 1)
    throw new RangeError(`${op}: batch.size is ${batch.size}, expected 1: a batch of one example.`);
  for (const field of fields) {
    const data = batch[field];
    if (data === undefined) continue;
    if (data instanceof Tensor)
      throw new TypeError(`${op}: batch.${field} is a tensor, expected a typed array of one example.`);
    checkList(op, `batch.${field}`, data, "a typed array of one example");
    one[field] = whole.includes(field)
      ? wholeNumbers(op, `batch.${field}`, data, "i32")
      : floats(op, `batch.${field}`, data);
  }
  const lengthOf = (field: (typeof fields)[number]) => (one[field] as ArrayLike<number> | undefined)?.length;
  for (const modality of net.modalities) {
    if (lengthOf(fieldOf[modality]) === undefined)
      throw new TypeError(
        `${op}: the batch has no ${fieldOf[modality]}, which this network takes. Where the example lacks it, give zeros, and say so in \`present\`.`,
      );
  }
  const fail = (field: string, found: number, expected: string) =>
    new RangeError(`${op}: batch.${field} holds ${found} numbers, expected ${expected}: a batch of one example.`);
  const { image, audio } = net.config;
  const pixels = image?.reduce((a, b) => a * b, 1);
  if (pixels !== undefined && lengthOf("image") !== pixels) throw fail("image", lengthOf("image")!, `${pixels}`);
  if (audio !== undefined && lengthOf("audio")! % audio !== 0)
    throw fail("audio", lengthOf("audio")!, `${audio} a frame`);
  if ((lengthOf("frames") ?? 1) !== 1) throw fail("frames", lengthOf("frames")!, "1");
  presentOf(op, one, net.modalities.length);
  return one;
}

/** One example, `times` times. */
export function repeated(one: Batch, times: number): Batch {
  const batch: Batch = { size: times };
  for (const field of fields) {
    const data = one[field] as Float32Array | Int32Array | undefined;
    if (!data) continue;
    const all = new (data instanceof Float32Array ? Float32Array : Int32Array)(times * data.length);
    for (let i = 0; i < times; i++) all.set(data, i * data.length);
    batch[field] = all;
  }
  return batch;
}
