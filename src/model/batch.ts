import { type Engine, Tensor, type TensorLike } from "../autograd/index.ts";
import {
  checkList,
  checkNumber,
  checkObject,
  describe,
  type Known,
  type NumberRule,
  nearest,
  number,
  wholeNumbers,
} from "../check.ts";
import { expectMarks } from "../kernels/checks.ts";
import { count } from "../kernels/op.ts";
import { type BatchFields, encoders, type Modality } from "./encoder/index.ts";

/** How a network computes its outputs. */
export interface ForwardOptions {
  /** Turns on what only training does, such as dropout. Default false. */
  training?: boolean;
}

/** N examples, as typed arrays or tensors; of these names, what the network does not take is not read. */
export interface Batch extends BatchFields {
  /** [N, M], 1 where an example has the modality, else 0; M modalities as the network takes. Default: all are there. */
  present?: TensorLike | undefined;
  /** N, where neither image, frames and present nor a tensor tells it. */
  size?: number | undefined;
}

/** One of a network's inputs: a name of a batch that it reads. */
export interface ReadField {
  /** Whose it is. */
  readonly modality: Modality;
  /** Its sizes: numbers, and letters for those that differ between batches, such as ["N", "T", 32]. */
  readonly shape: readonly (number | string)[];
  /** Its sizes in an ONNX file. @throws TypeError where the configuration does not tell. */
  exportedShape(): readonly (number | string)[];
  /** What its numbers are. */
  readonly dtype: "f32" | "i32";
  /** Whether a batch may do without it. */
  readonly optional: boolean;
}

const FIELDS = Object.values(encoders).flatMap(({ fields }) => Object.keys(fields)) as readonly (keyof BatchFields)[];

/** What a batch may hold: what encoders read, and the `label` that losses and metrics do. */
const NAMES: Known<Batch & { label?: unknown }> = {
  ...(Object.fromEntries(FIELDS.map((name) => [name, true])) as Record<keyof BatchFields, true>),
  present: true,
  size: true,
  label: true,
};

/**
 * Refuses what is no batch, and names that nothing reads: `frame` in place of `frames` would count all frames as there.
 *
 * @throws TypeError that suggests the nearest name.
 */
export function checkBatch(operation: string, batch: unknown): asserts batch is Batch {
  if (typeof batch !== "object" || batch === null || Array.isArray(batch) || ArrayBuffer.isView(batch))
    throw new TypeError(`${operation}: the batch is ${describe(batch)}, expected an object such as { image, words }.`);
  for (const name in batch) {
    if (Object.hasOwn(NAMES, name)) continue;
    const meant = nearest(name, Object.keys(NAMES));
    throw new TypeError(
      `${operation}: the batch has ${JSON.stringify(name)}, which no network reads. ${meant ? `Did you mean ${meant}?` : `It may hold ${Object.keys(NAMES).join(", ")}.`}`,
    );
  }
}

/** How many examples a batch holds, for a network that reads these fields and M modalities. */
export function sizeOf(batch: Batch, fields: { readonly [F in keyof BatchFields]?: ReadField }, M: number): number {
  if (batch.size !== undefined) {
    checkNumber("MultimodalNet", "batch.size", batch.size, number.wholeAtLeast0);
    return batch.size;
  }
  for (const name of [...FIELDS, "present"] as const) {
    const data = batch[name];
    if (data instanceof Tensor) return data.shape[0]!;
  }
  for (const name of FIELDS) {
    const [data, sizes] = [batch[name] as ArrayLike<number> | undefined, fields[name]?.shape.slice(1)];
    if (data && sizes?.every((size) => typeof size === "number")) return data.length / count(sizes);
  }
  if (batch.present) return (batch.present as ArrayLike<number>).length / M;
  throw new TypeError(
    'MultimodalNet: nothing tells how many examples the batch holds. Give `size`, or tensors such as engine.tensor(words, [N, L], "i32").',
  );
}

const ZERO_OR_ONE: NumberRule = { holds: (x) => x === 0 || x === 1, expected: "0 or 1" };

/**
 * The numbers [N, M] of a batch's `present`, for what reads them on the host.
 *
 * @param operation is named in errors.
 * @param batch of N examples.
 * @param n how many numbers there must be, N · M.
 * @returns 0 and 1, or undefined where the batch has no `present`.
 * @throws TypeError where it is a tensor or no list; RangeError where it holds others than 0 and 1, or not as many.
 * @example const present = presentOf("explain", batch, N * net.modalities.length);
 */
export function presentOf(operation: string, batch: Batch, n: number): ArrayLike<number> | undefined {
  checkObject(operation, "the batch", batch, "an object such as { image, present }");
  const { present } = batch;
  if (present === undefined) return undefined;
  if (present instanceof Tensor)
    throw new TypeError(`${operation}: batch.present is a tensor, expected a typed array or a list.`);
  checkList(operation, "batch.present", present, "a typed array or a list");
  if (present.length !== n)
    throw new RangeError(
      `${operation}: batch.present holds ${present.length} numbers, expected ${n}: one for each example and modality.`,
    );
  for (let i = 0; i < n; i++) checkNumber(operation, `batch.present[${i}]`, present[i], ZERO_OR_ONE);
  return present;
}

/** What the batch holds under `name` as a tensor of this shape; -1 stands for the size that fits. */
export function tensorOf(
  engine: Engine,
  batch: Batch,
  name: Exclude<keyof Batch, "size">,
  shape: readonly number[],
  dtype: "f32" | "i32" = "f32",
): Tensor {
  const data = batch[name];
  if (data === undefined)
    throw new TypeError(
      `MultimodalNet: the batch has no ${name}, which this network takes. Where examples lack it, give zeros, and say so in \`present\`.`,
    );
  const wanted = `[${shape.join(", ").replace("-1", "…")}]`;
  if (data instanceof Tensor) {
    const fits = data.shape.length === shape.length && shape.every((size, i) => size === -1 || size === data.shape[i]);
    if (!fits) throw new TypeError(`MultimodalNet: batch.${name} is [${data.shape.join(", ")}], expected ${wanted}.`);
    if (name === "present") expectMarks("MultimodalNet", "batch.present", data);
    return data;
  }
  checkList("MultimodalNet", `batch.${name}`, data, "a tensor, a typed array or an array of numbers");
  const open = data.length / count(shape.filter((size) => size !== -1));
  const full = shape.map((size) => (size === -1 ? open : size));
  if (!full.every(Number.isInteger) || count(full) !== data.length)
    throw new TypeError(`MultimodalNet: batch.${name} holds ${data.length} numbers, which do not fill ${wanted}.`);
  const numbers = dtype === "i32" ? wholeNumbers("MultimodalNet", `batch.${name}`, data, dtype) : data;
  const tensor = engine.tensor(numbers, full, dtype);
  if (name === "present") expectMarks("MultimodalNet", "batch.present", tensor);
  return tensor;
}
