import { checkArray } from "../../check.ts";
import { type Weights, WeightsError } from "../safetensors.ts";
import { types } from "./graph.ts";
import { fieldsOf } from "./protobuf.ts";

/**
 * Reads weights and metadata from an ONNX file that `encodeOnnx` wrote, for `modelFrom`, `setWeights` or `warmStart`. Of
 * other programs' files it reads the F32 tensors that are stored raw.
 *
 * @param file its bytes.
 * @param name of the file, for errors. Default "weights".
 * @returns weights by name.
 * @throws WeightsError naming the fault, before anything larger than the file is allocated.
 * @example const net = modelFrom(engine, decodeOnnx(await readFile("net.onnx"), "net.onnx"));
 */
export function decodeOnnx(file: Uint8Array, name = "weights"): Weights {
  checkArray("decodeOnnx", "file", file, "Uint8Array");
  const tensors: Weights["tensors"] = new Map();
  const metadata = new Map<string, string>();
  try {
    let graphs = 0;
    for (const [field, value] of fieldsOf(file)) {
      if (field === 14) {
        const [key, text] = pairOf(message(value));
        metadata.set(key, text);
      }
      if (field !== 7) continue;
      graphs += 1;
      for (const [part, tensor] of fieldsOf(message(value))) if (part === 5) readTensor(message(tensor), tensors);
    }
    if (graphs !== 1) throw new RangeError(`it has ${graphs} graphs, expected one`);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new WeightsError(`${name}: not an ONNX file: ${error.message}.`);
  }
  return { tensors, metadata: Object.fromEntries(metadata) };
}

function message(value: number | Uint8Array): Uint8Array {
  if (typeof value === "number") throw new RangeError(`there is the number ${value}, expected a message`);
  return value;
}

const textOf = (value: number | Uint8Array) => new TextDecoder().decode(message(value));

function pairOf(entry: Uint8Array): [key: string, value: string] {
  const pair: [string, string] = ["", ""];
  for (const [field, value] of fieldsOf(entry)) if (field === 1 || field === 2) pair[field - 1] = textOf(value);
  return pair;
}

/** A tensor of floats that is not a constant of ours. */
function readTensor(tensor: Uint8Array, tensors: Weights["tensors"]): void {
  const shape: number[] = [];
  let [type, name] = [0, ""];
  let raw: Uint8Array | undefined;
  for (const [field, value] of fieldsOf(tensor)) {
    if (field === 1) for (const size of typeof value === "number" ? [value] : packed(value)) shape.push(size);
    if (field === 2) type = Number(value);
    if (field === 8) name = textOf(value);
    if (field === 9) raw = message(value);
  }
  if (type !== types.f32 || !raw || name.startsWith("constant:")) return;
  const bytes = 4 * shape.reduce((a, b) => a * b, 1);
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0) || raw.length !== bytes)
    throw new RangeError(`tensor "${name}" [${shape.slice(0, 8).join(", ")}] has ${raw.length} bytes`);
  tensors.set(name, { shape, data: new Float32Array(new Uint8Array(raw).buffer) });
}

/** Whole numbers one after another, without keys. */
function packed(numbers: Uint8Array): number[] {
  const found: number[] = [];
  let [n, scale] = [0, 1];
  for (const byte of numbers) {
    n += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    found.push(n);
    [n, scale] = [0, 1];
  }
  return found;
}
