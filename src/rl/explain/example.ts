import { Tensor } from "../../autograd/index.ts";
import type { Batch } from "../../model/index.ts";

/** The fields of a batch that hold numbers of each example. */
const fields = ["image", "words", "audio", "frames", "present"] as const;

/** A batch of one example, in typed arrays. @throws TypeError where it holds tensors. */
export function oneOf(op: string, batch: Batch): Batch {
  const tensor = fields.find((field) => batch[field] instanceof Tensor);
  if (tensor) throw new TypeError(`${op}: batch.${tensor} is a tensor, expected a typed array of one example.`);
  return batch;
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
