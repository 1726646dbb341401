import { expectEngine } from "../../autograd/engine.ts";
import { type Engine, noGrad, Tensor } from "../../autograd/index.ts";
import { type Call, traced } from "../../autograd/trace.ts";
import {
  checkFunction,
  checkList,
  checkMetadata,
  checkName,
  checkNumber,
  checkObject,
  checkOptions,
  checkText,
  describe,
  type Known,
  number,
} from "../../check.ts";
import type { HostArray } from "../../gpu/index.ts";
import { onHost } from "../../kernels/checks.ts";
import type { Converter, Sizes } from "./convert/converter.ts";
import { elementwise } from "./convert/elementwise.ts";
import { layers } from "./convert/layers.ts";
import { recurrences } from "./convert/recurrent.ts";
import { shapes } from "./convert/shapes.ts";
import { Graph, type OnnxShape } from "./graph.ts";

const converters = new Map<string, Converter>(
  [elementwise, shapes, layers, recurrences].flatMap((table) => Object.entries(table)),
);

/** An input of an ONNX graph. */
export interface OnnxInput {
  /** Sizes that are always the same as numbers; those that another batch may have otherwise by name, such as "N". */
  readonly shape: OnnxShape;
  /** Of its numbers. Default "f32". */
  readonly dtype?: "f32" | "i32";
}

/** What `encodeOnnx` exports. */
export interface OnnxModel {
  /** Of the graph. */
  readonly name?: string;
  /** The inputs by name. */
  readonly inputs: Readonly<Record<string, OnnxInput>>;
  /** By name; they keep names, shapes and values in the file, which therefore is a checkpoint as well. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** The computation, of ops of this package; it is traced twice, with two batch sizes. */
  readonly compute: (inputs: Readonly<Record<string, Tensor>>) => Record<string, Tensor>;
  /** Texts by name, kept in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const onnxInput: Known<OnnxInput> = { shape: true, dtype: true };
const onnxModel: Known<OnnxModel> = { name: true, inputs: true, parameters: true, compute: true, metadata: true };

/**
 * Exports a computation as an ONNX file. The ops that `compute` calls are traced, with batches of two sizes: what differs
 * between the traces is what changes with the batch.
 *
 * @param engine where the traces run.
 * @param model inputs, parameters and computation.
 * @returns the bytes of the file.
 * @throws TypeError naming an op that has no ONNX form here, or a constant or size that cannot follow the batch.
 * @example const file = await encodeOnnx(engine, { inputs: { x: { shape: ["N", 4] } }, parameters: { w }, compute: ({ x }) => ({ y: linear(x!, w) }) });
 */
export async function encodeOnnx(engine: Engine, model: OnnxModel): Promise<Uint8Array<ArrayBuffer>> {
  expectEngine("encodeOnnx", engine);
  checkObject("encodeOnnx", "the model", model, "{ inputs, parameters, compute }");
  checkOptions("encodeOnnx", model, onnxModel);
  checkObject("encodeOnnx", "inputs", model.inputs, 'an object such as { x: { shape: ["N", 4] } }');
  checkObject("encodeOnnx", "parameters", model.parameters, "an object of tensors by name");
  for (const [name, p] of Object.entries(model.parameters))
    if (!(p instanceof Tensor))
      throw new TypeError(`encodeOnnx: parameter ${name} is ${describe(p)}, expected a tensor.`);
  checkFunction("encodeOnnx", "compute", model.compute, "a function of the inputs");
  checkMetadata("encodeOnnx", model.metadata ?? {});
  for (const [name, input] of Object.entries(model.inputs)) {
    checkObject("encodeOnnx", `input ${name}`, input, "{ shape, dtype }");
    checkOptions(`encodeOnnx: input ${name}`, input, onnxInput);
    checkList(`encodeOnnx: input ${name}`, "shape", input.shape, 'a list of sizes and names such as ["N", 4]');
    for (const [i, size] of input.shape.entries()) {
      if (typeof size === "string") checkText(`encodeOnnx: input ${name}`, `shape[${i}]`, size);
      else checkNumber(`encodeOnnx: input ${name}`, `shape[${i}]`, size, number.wholeAtLeast1);
    }
    if (input.dtype !== undefined) checkName(`encodeOnnx: input ${name}`, "dtype", input.dtype, ["f32", "i32"]);
  }
  const names = [
    ...new Set(Object.values(model.inputs).flatMap(({ shape }) => shape.filter((s) => typeof s === "string"))),
  ];
  /** Sizes that no two named ones share. */
  const sizeOf = (size: number | string, trace: number) =>
    typeof size === "number" ? size : 2 * names.indexOf(size) + 2 + trace;
  const traces = await Promise.all(
    [0, 1].map((trace) => {
      const inputs = Object.fromEntries(
        Object.entries(model.inputs).map(([name, { shape, dtype = "f32" }]) => {
          const sizes = shape.map((size) => sizeOf(size, trace));
          const zeros = new Float32Array(sizes.reduce((a, b) => a * b, 1));
          return [name, engine.tensor(zeros, sizes, dtype)];
        }),
      );
      return traced(engine, () => noGrad(() => model.compute(inputs))).then((seen) => ({ ...seen, inputs }));
    }),
  );
  const called = [...Object.keys(model.inputs), ...Object.keys(model.parameters), ...Object.keys(traces[0]!.result)];
  const duplicate = called.find((name, i) => called.indexOf(name) !== i);
  if (duplicate) throw new TypeError(`onnx: two of inputs, parameters and outputs are called ${duplicate}.`);
  const [one, other] = traces as [(typeof traces)[0], (typeof traces)[0]];
  const graph = new Graph();
  const known = new Map<Tensor, string>();
  for (const [name, { shape, dtype = "f32" }] of Object.entries(model.inputs))
    known.set(one.inputs[name]!, graph.input(name, dtype, shape));
  for (const [name, p] of Object.entries(model.parameters))
    known.set(p, graph.tensor(name, "f32", p.shape, (await p.data()) as Float32Array));

  for (const [i, call] of one.calls.entries()) {
    const twin = other.calls[i];
    if (twin?.op !== call.op)
      throw new TypeError(`onnx: call ${i} is ${call.op} for one batch and ${twin?.op} for another: not one network.`);
    for (const [k, x] of call.inputs.entries())
      if (x && !known.has(x)) known.set(x, await constant(graph, call, x, twin.inputs[k]!));
    const convert = converters.get(call.op);
    if (!convert)
      throw new TypeError(
        `onnx: ${call.op} has no ONNX form here. Those with one: ${[...converters.keys()].sort().join(", ")}.`,
      );
    const outputs = convert(graph, {
      op: call.op,
      options: call.options,
      x: call.inputs.map((x) => (x ? known.get(x)! : "")),
      from: call.inputs.map((x, k) => sizes(x, twin.inputs[k])),
      to: call.outputs.map((y, k) => sizes(y, twin.outputs[k])),
    });
    call.outputs.forEach((y, k) => {
      known.set(y, outputs[k]!);
    });
  }
  for (const [name, y] of Object.entries(one.result)) {
    const shape = sizes(y, other.result[name]).map(
      (size, i) => size ?? names.find((named) => sizeOf(named, 0) === y.shape[i]) ?? `${name}.${i}`,
    );
    const from = known.get(y);
    if (!from) throw new TypeError(`onnx: the output ${name} is not computed from the inputs.`);
    graph.output(name, y.dtype === "f32" ? "f32" : "i32", shape, from);
  }
  return graph.encode(model.name ?? "network", model.metadata ?? {});
}

/** The sizes of a tensor; undefined where those of its twin for another batch differ. */
const sizes = (x: Tensor | undefined, twin: Tensor | undefined): Sizes =>
  x?.shape.map((size, i) => (size === twin?.shape[i] ? size : undefined)) ?? [];

/** A tensor that is neither input nor parameter nor computed. */
async function constant(graph: Graph, call: Call, x: Tensor, twin: Tensor): Promise<string> {
  const values = async (t: Tensor): Promise<HostArray> => onHost(t) ?? (await t.data());
  const [data, again] = [await values(x), await values(twin)];
  if (String(x.shape) !== String(twin.shape) || data.some((n, i) => !Object.is(n, again[i])))
    throw new TypeError(
      `onnx: ${call.op} reads a tensor [${x.shape.join(", ")}] that changes with the batch and is no input. Give sizes that it follows as numbers.`,
    );
  const name = `constant:${call.op}:${x.slot.id}`;
  if (x.dtype === "f32") return graph.tensor(name, "f32", x.shape, data as Float32Array);
  return graph.tensor(name, "i32", x.shape, Int32Array.from(data));
}
