import { Tensor } from "../../autograd/index.ts";
import { checkList, checkNumber, describe, floats, placeIn, wholeNumbers } from "../../check.ts";
import { type Batch, type BatchFields, MultimodalNet, presentOf } from "../../model/index.ts";
import { checkObject } from "../check.ts";

/** Refuses what is no network of several modalities, before anything is asked of it. */
export function checkNet(operation: string, net: MultimodalNet): void {
  if (!(net instanceof MultimodalNet))
    throw new TypeError(`${operation}: net is ${describe(net)}, expected a MultimodalNet.`);
}

/** Refuses what is none of the network's actions. */
export const checkAction = (operation: string, what: string, net: MultimodalNet, action: unknown): void =>
  checkNumber(operation, what, action, placeIn(net.numOutputs));

/**
 * A batch of one example, in typed arrays of what the network takes: Float32Array, and Int32Array for ids and lengths.
 *
 * @throws TypeError or RangeError where it holds tensors, lacks what the network takes, or is no example.
 */
export function oneOf(op: string, net: MultimodalNet, batch: Batch): Batch {
  checkObject(op, "the batch", batch, "a batch of one example");
  const one: Batch = { size: 1 };
  if (batch.size !== undefined && batch.size !== 1)
    throw new RangeError(`${op}: batch.size is ${batch.size}, expected 1: a batch of one example.`);
  const convert = (field: keyof BatchFields | "present", dtype: "f32" | "i32") => {
    const data = batch[field];
    if (data === undefined) return;
    if (data instanceof Tensor)
      throw new TypeError(`${op}: batch.${field} is a tensor, expected a typed array of one example.`);
    checkList(op, `batch.${field}`, data, "a typed array of one example");
    one[field] = dtype === "i32" ? wholeNumbers(op, `batch.${field}`, data, "i32") : floats(op, `batch.${field}`, data);
  };
  for (const field of fieldsOf(net)) {
    const { shape, dtype, optional } = net.fields[field]!;
    convert(field, dtype);
    const data = one[field] as ArrayLike<number> | undefined;
    if (data === undefined && optional) continue;
    if (data === undefined)
      throw new TypeError(
        `${op}: the batch has no ${field}, which this network takes. Where the example lacks it, give zeros, and say so in \`present\`.`,
      );
    const size = knownSize(net, field);
    const open = shape.slice(1).find((letter) => typeof letter === "string");
    if (open === undefined ? data.length !== size : data.length % size !== 0)
      throw new RangeError(
        `${op}: batch.${field} holds ${data.length} numbers, expected ${open === undefined ? size : `${size} for each of ${open}`}: a batch of one example.`,
      );
  }
  convert("present", "f32");
  presentOf(op, one, net.modalities.length);
  return one;
}

/** One example, as `oneOf` gives it, `times` times. */
export function repeated(one: Batch, times: number): Batch {
  const batch: Batch = { size: times };
  for (const [field, data] of Object.entries(one)) {
    if (!(data instanceof Float32Array || data instanceof Int32Array)) continue;
    const all = new (data instanceof Float32Array ? Float32Array : Int32Array)(times * data.length);
    for (let i = 0; i < times; i++) all.set(data, i * data.length);
    batch[field as keyof BatchFields] = all;
  }
  return batch;
}

const fieldsOf = (net: MultimodalNet) => Object.keys(net.fields) as (keyof BatchFields)[];

/** How many numbers of a field each example has, for each word or frame where their count is open. */
export const knownSize = (net: MultimodalNet, field: keyof BatchFields): number =>
  net.fields[field]!.shape.reduce<number>((size, n) => (typeof n === "number" ? size * n : size), 1);
