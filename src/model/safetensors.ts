/*
 * The safetensors format: 8 bytes with the length of a JSON header, the header, then the numbers of all tensors. Files
 * load in Python's `safetensors`, and PyTorch weights of the same names and shapes load here.
 * https://github.com/huggingface/safetensors
 */

import { checkArray, checkList, checkMetadata, checkObject, checkOptions, describe } from "../check.ts";
import { dtypeNames, readNumbers, sizeOfDtype } from "./dtype.ts";
import { type Module, tensorsOf } from "./layers.ts";

/** The contents of a file of weights. */
export interface Weights {
  /** Shape and numbers by name. */
  tensors: Map<
    string,
    {
      /** Its sizes, the outermost axis first. */
      shape: readonly number[];
      /** Its numbers, row by row. */
      data: Float32Array;
    }
  >;
  /** Texts by name. */
  metadata: Readonly<Record<string, string>>;
}

/** A file that is not safetensors, or not of this network. */
export class WeightsError extends Error {
  /** Tells it from other errors, also across realms. */
  override readonly name = "WeightsError";
}

/** What may be saved or put into a network beside finite numbers. */
export interface NonFinite {
  /** Whether NaN and ±∞ are taken as they are, as where a network has died and is to be looked at. Default false. */
  allowNonFinite?: boolean;
}

/** Longest header that is read, in bytes: a real one has some hundred bytes a tensor. */
const LONGEST_HEADER = 16 << 20;

/**
 * Encodes tensors in the safetensors format.
 *
 * @param weights tensors and metadata.
 * @param options.allowNonFinite Default false.
 * @returns the bytes of the file.
 * @throws WeightsError naming a tensor that holds NaN or ±∞, unless they are allowed; TypeError where the metadata are not
 * texts by name.
 * @example await writeFile("net.safetensors", encodeSafetensors(await weightsOf(net)));
 */
export function encodeSafetensors(weights: Weights, options: NonFinite = {}): Uint8Array<ArrayBuffer> {
  expectWeights("encodeSafetensors", weights);
  const { tensors, metadata } = weights;
  checkFinite("encodeSafetensors", weights, options);
  // Entries and not a plain object's fields: a tensor may have any name, "__proto__" as well.
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  let at = 0;
  for (const [name, { shape, data }] of tensors) {
    const count = shape.reduce((a, b) => a * b, 1);
    if (name === "__metadata__") throw new WeightsError('encodeSafetensors: no tensor can be called "__metadata__".');
    if (!(data instanceof Float32Array) || count !== data.length) {
      throw new WeightsError(
        `encodeSafetensors: tensor ${show(name)} is [${shape.join(", ")}], expected ${count} numbers in a Float32Array, found ${data.length}.`,
      );
    }
    entries.push([name, { dtype: "F32", shape, data_offsets: [at, at + data.byteLength] }]);
    at += data.byteLength;
  }
  const header = Object.fromEntries(entries);
  // Spaces at the end, so that the numbers begin at a multiple of 8 bytes.
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + length + at).fill(0x20, 8, 8 + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.set(json, 8);
  at = 8 + length;
  for (const { data } of tensors.values()) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * Decodes the safetensors format to float32: F32, and F64, F16, BF16, integers and booleans where float32 has each of their
 * numbers.
 *
 * @param file its bytes.
 * @param name of the file, for errors. Default "weights".
 * @returns tensors and metadata.
 * @throws WeightsError naming the fault, before anything large is allocated.
 * @example setWeights(net, decodeSafetensors(await readFile("net.safetensors")));
 */
export function decodeSafetensors(file: Uint8Array, name = "weights"): Weights {
  checkArray("decodeSafetensors", "file", file, "Uint8Array");
  const fail = (fault: string) => new WeightsError(`${name}: not a safetensors file: ${fault}.`);
  if (file.length < 8) throw fail(`it has ${file.length} bytes, expected at least 8`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > LONGEST_HEADER || 8 + length > file.length)
    throw fail(`its header claims ${length} bytes, the file has ${file.length}`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.subarray(8, 8 + length)));
  } catch {
    throw fail("its header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw fail("its header is not an object");
  const { __metadata__: metadata = {}, ...entries } = header as Record<string, unknown>;
  if (!isTexts(metadata)) throw fail(`its metadata are ${show(metadata)}, expected texts by name`);
  const size = file.length - 8 - length;
  const spans = Object.entries(entries).map(([tensor, entry]) => readEntry(tensor, entry, size, fail));
  // Before any number is copied: many tensors that share their bytes would be far larger than the file.
  let end = 0;
  for (const { tensor, from, to } of [...spans].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) throw fail(`its tensors overlap or leave gaps: "${tensor}" begins at ${from}, expected ${end}`);
    end = to;
  }
  if (end !== size) throw fail(`its tensors overlap or leave gaps: they end at ${end} of ${size} bytes`);
  const tensors: Weights["tensors"] = new Map();
  for (const { tensor, dtype, shape, from, to } of spans) {
    try {
      tensors.set(tensor, { shape, data: readNumbers(dtype, file.subarray(8 + length + from, 8 + length + to)) });
    } catch (cause) {
      throw new WeightsError(`${name}: tensor ${show(tensor)} (${dtype}) ${(cause as Error).message}.`, { cause });
    }
  }
  return { tensors, metadata };
}

/** What the header says about a tensor: its shape, and its place among the numbers of all tensors, in bytes. */
function readEntry(tensor: string, entry: unknown, size: number, fail: (fault: string) => WeightsError) {
  const { dtype, shape, data_offsets: span } = (entry ?? {}) as Record<string, unknown>;
  const unit = sizeOfDtype(dtype);
  if (unit === undefined) throw fail(`tensor ${show(tensor)} is ${show(dtype)}, expected one of ${dtypeNames}`);
  if (!isSizes(shape)) throw fail(`tensor ${show(tensor)} has the shape ${show(shape)}`);
  if (!isSizes(span) || span.length !== 2 || span[0]! > span[1]! || span[1]! > size) {
    throw fail(`tensor ${show(tensor)} lies at ${show(span)} of ${size} bytes`);
  }
  const [from, to] = span as [number, number];
  const bytes = unit * shape.reduce((a, b) => a * b, 1);
  if (to - from !== bytes)
    throw fail(`tensor ${show(tensor)} ${show(shape)} has ${to - from} bytes, expected ${bytes}`);
  return { tensor, dtype, shape, from, to };
}

/** A value of the header for a message: it may be long, or nested so deep that it cannot be written. */
function show(value: unknown): string {
  try {
    const text = JSON.stringify(value) ?? "nothing";
    return text.length > 100 ? `${text.slice(0, 100)}…` : text;
  } catch {
    return "something nested too deep";
  }
}

const isTexts = (x: unknown): x is Record<string, string> =>
  typeof x === "object" &&
  x !== null &&
  !Array.isArray(x) &&
  Object.values(x).every((text) => typeof text === "string");

const isSizes = (x: unknown): x is number[] => Array.isArray(x) && x.every((n) => Number.isSafeInteger(n) && n >= 0);

/**
 * Reads a network's weights from the GPU.
 *
 * @param module the network.
 * @param metadata texts by name. Default: none.
 * @returns copies of parameters and buffers by name.
 * @throws Error where a tensor cannot be read, such as when the device is lost.
 * @example const { tensors } = await weightsOf(net);
 */
export async function weightsOf(module: Module, metadata: Record<string, string> = {}): Promise<Weights> {
  const parameters = Object.entries(tensorsOf("weightsOf", module));
  checkMetadata("weightsOf", metadata);
  const arrays = await Promise.all(parameters.map(([, p]) => p.data()));
  return {
    tensors: new Map(parameters.map(([name, { shape }], i) => [name, { shape, data: arrays[i] as Float32Array }])),
    metadata,
  };
}

/** Refuses what are no weights, such as the bytes of their file. */
export function expectWeights(operation: string, weights: unknown): asserts weights is Weights {
  const expected = "{ tensors, metadata }, as decodeSafetensors gives";
  checkObject(operation, "weights", weights, expected);
  const { tensors, metadata } = weights as Partial<Weights>;
  if (!(tensors instanceof Map))
    throw new TypeError(
      `${operation}: weights.tensors is ${describe(tensors)}, expected a Map of { shape, data } by name.`,
    );
  for (const [name, tensor] of tensors) {
    checkObject(operation, `tensor ${show(name)}`, tensor, "{ shape, data }");
    checkList(operation, `the shape of tensor ${show(name)}`, tensor.shape, "a list of sizes");
    checkList(operation, `the data of tensor ${show(name)}`, tensor.data, "a Float32Array");
  }
  checkMetadata(operation, metadata as Record<string, unknown>);
}

/** Refuses weights with NaN or ±∞, by the tensor's name. */
export function checkFinite(name: string, { tensors }: Weights, options: NonFinite): void {
  checkOptions(name, options, { allowNonFinite: true });
  if (options.allowNonFinite) return;
  for (const [tensor, { data }] of tensors) {
    const at = data.findIndex((x) => !Number.isFinite(x));
    if (at >= 0)
      throw new WeightsError(
        `${name}: tensor "${tensor}" holds ${data[at]} at ${at}, expected finite numbers. A network whose weights are not finite answers nothing: go on from weights of before, with a lower learning rate or clipped gradients. To take it as it is, give allowNonFinite: true.`,
      );
  }
}

/** Refuses what is no Float32Array that fills its shape: other arrays would be taken for the bits of float32. */
export function checkNumbers(
  name: string,
  tensor: string,
  { shape, data }: { shape: readonly number[]; data: unknown },
) {
  const n = shape.reduce((a, b) => a * b, 1);
  if (!(data instanceof Float32Array) || data.length !== n)
    throw new WeightsError(
      `${name}: tensor "${tensor}" is [${shape.join(", ")}], expected a Float32Array of ${n} numbers, found ${data instanceof Float32Array ? data.length : describe(data)}.`,
    );
}

/**
 * Checks that weights fit a network: the same names and shapes, and finite numbers.
 *
 * @param module the network.
 * @param weights such as `decodeSafetensors` gives.
 * @param name of the file, for errors. Default "weights".
 * @param options.allowNonFinite Default false.
 * @throws WeightsError naming the first tensor that is missing, too many, of another shape, or holds NaN or ±∞ unless they
 * are allowed.
 * @example checkWeights(net, decodeSafetensors(bytes), "net.safetensors");
 */
export function checkWeights(module: Module, weights: Weights, name = "weights", options: NonFinite = {}): void {
  const parameters = tensorsOf("checkWeights", module);
  expectWeights("checkWeights", weights);
  const { tensors } = weights;
  for (const [key, p] of Object.entries(parameters)) {
    const found = tensors.get(key);
    if (!found)
      throw new WeightsError(`${name}: there is no tensor "${key}", which this network has. It is of another network.`);
    if (String(found.shape) !== String(p.shape)) {
      throw new WeightsError(
        `${name}: tensor "${key}" is [${found.shape.join(", ")}], this network's is [${p.shape.join(", ")}]. It is of another network.`,
      );
    }
  }
  for (const [key, tensor] of tensors) checkNumbers(name, key, tensor);
  const extra = [...tensors.keys()].find((key) => !Object.hasOwn(parameters, key));
  if (extra !== undefined) throw new WeightsError(`${name}: tensor "${extra}" is not of this network.`);
  checkFinite(name, weights, options);
}

/**
 * Writes weights into a network, all or nothing.
 *
 * @param module the network.
 * @param weights such as `decodeSafetensors` gives.
 * @param name of the file, for errors. Default "weights".
 * @param options.allowNonFinite Default false.
 * @throws WeightsError as `checkWeights`.
 * @example setWeights(net, decodeSafetensors(bytes), "net.safetensors");
 */
export function setWeights(module: Module, weights: Weights, name = "weights", options: NonFinite = {}): void {
  const own = tensorsOf("setWeights", module);
  expectWeights("setWeights", weights);
  checkWeights(module, weights, name, options);
  for (const [key, p] of Object.entries(own)) p.gpu.write(p.slot, weights.tensors.get(key)!.data);
}
