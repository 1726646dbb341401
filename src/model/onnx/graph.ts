import { bytes, float, joined, text, whole, wholes } from "./protobuf.ts";

/*
 * An ONNX model as it is put together: nodes in the order they run, tensors that are known, inputs and outputs. Field
 * numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */

/** The operator set: of 2021, so that every engine in use runs it; LayerNormalization is the latest that is needed. */
const OPSET = 17;
const IR_VERSION = 8;
export const types = { f32: 1, i32: 6, i64: 7, bool: 9 } as const;
export type OnnxType = keyof typeof types;

/** A whole number, several, a text, or a float, which must say so. */
export type Attribute = number | readonly number[] | string | { float: number };
/** Sizes by number, or by the name of what they are. */
export type OnnxShape = readonly (number | string)[];

type TensorData = Float32Array | Int32Array | BigInt64Array;

const attribute = (name: string, value: Attribute) => {
  if (typeof value === "string") return [text(1, name), text(4, value), whole(20, 3)];
  if (typeof value === "number") return [text(1, name), whole(3, value), whole(20, 2)];
  if ("float" in value) return [text(1, name), float(2, value.float), whole(20, 1)];
  return [text(1, name), value.map((n) => whole(8, n)), whole(20, 7)];
};

const valueInfo = (name: string, type: OnnxType, shape: OnnxShape) => [
  text(1, name),
  bytes(
    2,
    bytes(1, [
      whole(1, types[type]),
      bytes(
        2,
        shape.map((size) => bytes(1, typeof size === "number" ? whole(1, size) : text(2, size))),
      ),
    ]),
  ),
];

export class Graph {
  readonly #nodes: ReturnType<typeof bytes>[] = [];
  readonly #tensors: ReturnType<typeof bytes>[] = [];
  readonly #inputs: ReturnType<typeof bytes>[] = [];
  readonly #outputs: ReturnType<typeof bytes>[] = [];
  #names = 0;

  /** Adds a node, and gives the names of its outputs. An input that is left out is "". */
  nodes(type: string, inputs: readonly string[], attributes: Record<string, Attribute>, outputs: number): string[] {
    const names = Array.from({ length: outputs }, () => `${type}:${this.#names++}`);
    this.#add(type, inputs, attributes, names);
    return names;
  }

  /** Adds a node with one output, and gives its name. */
  node(type: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.nodes(type, inputs, attributes, 1)[0]!;
  }

  #add(type: string, inputs: readonly string[], attributes: Record<string, Attribute>, outputs: readonly string[]) {
    this.#nodes.push(
      bytes(1, [
        inputs.map((name) => text(1, name)),
        outputs.map((name) => text(2, name)),
        text(3, `node:${this.#nodes.length}`),
        text(4, type),
        Object.entries(attributes).map(([name, value]) => bytes(5, attribute(name, value))),
      ]),
    );
  }

  /** A tensor that is known, such as a parameter. */
  tensor(name: string, type: OnnxType, shape: readonly number[], data: TensorData): string {
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#tensors.push(bytes(5, [wholes(1, shape), whole(2, types[type]), text(8, name), bytes(9, raw)]));
    return name;
  }

  /** Numbers that nobody learned. */
  floats(values: readonly number[] | Float32Array, shape: readonly number[] = [values.length]): string {
    return this.tensor(`constant:${this.#names++}`, "f32", shape, Float32Array.from(values));
  }

  /** Whole numbers of 64 bits, as ONNX wants sizes and axes. */
  wholes(values: readonly number[], shape: readonly number[] = [values.length]): string {
    return this.tensor(`constant:${this.#names++}`, "i64", shape, BigInt64Array.from(values, BigInt));
  }

  /** A whole number of 32 bits, as ids are. */
  int32(value: number): string {
    return this.tensor(`constant:${this.#names++}`, "i32", [], Int32Array.of(value));
  }

  input(name: string, type: OnnxType, shape: OnnxShape): string {
    this.#inputs.push(bytes(11, valueInfo(name, type, shape)));
    return name;
  }

  output(name: string, type: OnnxType, shape: OnnxShape, from: string): void {
    this.#add("Identity", [from], {}, [name]);
    this.#outputs.push(bytes(12, valueInfo(name, type, shape)));
  }

  /** The file. */
  encode(name: string, metadata: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
    const graph = [this.#nodes, text(2, name), this.#tensors, this.#inputs, this.#outputs];
    return joined([
      whole(1, IR_VERSION),
      text(2, "handgrad"),
      bytes(7, graph),
      bytes(8, [text(1, ""), whole(2, OPSET)]),
      Object.entries(metadata).map(([key, value]) => bytes(14, [text(1, key), text(2, value)])),
    ]);
  }
}
