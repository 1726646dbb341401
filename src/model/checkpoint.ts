import { checkArray, checkFunction, describe } from "../check.ts";
import { checkOptimizer, type Optimizer, type OptimizerState } from "../optim/index.ts";
import { type Module, tensorsOf } from "./layers.ts";
import {
  checkFinite,
  checkWeights,
  decodeSafetensors,
  encodeSafetensors,
  setWeights,
  type Weights,
  WeightsError,
  weightsOf,
} from "./safetensors.ts";

/*
 * A checkpoint is one safetensors file: the weights, the optimizer's state, and the progress. It is
 * all that is needed to go on to the same bits, given the same data and settings.
 */

/** Names that no parameter has. */
const [M, V] = ["optimizer.m", "optimizer.v"];

/** How NaN and ±∞ stand in the progress: JSON alone makes null of them. */
const NOT_FINITE = "not finite";
const isNotFinite = (x: unknown): x is { [NOT_FINITE]: string } =>
  typeof x === "object" && x !== null && Object.hasOwn(x, NOT_FINITE);

/**
 * Encodes weights, optimizer state and progress as one safetensors file, from which training continues to the same bits.
 *
 * @param module the network.
 * @param optimizer of its parameters.
 * @param progress whatever JSON can hold, and NaN and ±∞.
 * @returns the bytes of the file.
 * @throws WeightsError where a weight or a number of the optimizer's state is not finite; TypeError where JSON cannot hold the progress.
 * @example await folderStore("run").write("last.safetensors", await encodeCheckpoint(net, optimizer, { epoch: 3 }));
 */
export async function encodeCheckpoint(module: Module, optimizer: Optimizer, progress: unknown): Promise<Uint8Array> {
  tensorsOf("encodeCheckpoint", module);
  checkOptimizer("encodeCheckpoint", optimizer);
  let text: string | undefined;
  try {
    text = JSON.stringify(progress, (_, x) =>
      typeof x === "number" && !Number.isFinite(x) ? { [NOT_FINITE]: String(x) } : x,
    );
  } catch (cause) {
    throw new TypeError(`checkpoint: JSON cannot hold the progress: ${(cause as Error).message}`, { cause });
  }
  if (text === undefined)
    throw new TypeError(`checkpoint: progress is ${describe(progress)}, expected what JSON can hold.`);
  // Both are asked for before either is waited for, so that they are of one moment.
  const [{ tensors }, { steps, m, v, rule, sizes }] = await Promise.all([weightsOf(module), optimizer.state()]);
  const taken = [M, V].find((name) => tensors.has(name));
  if (taken)
    throw new WeightsError(`checkpoint: the network has a tensor "${taken}", a name kept for the optimizer's state.`);
  tensors.set(M, { shape: [m.length], data: m });
  if (v) tensors.set(V, { shape: [v.length], data: v });
  checkFinite("checkpoint", { tensors, metadata: {} }, {});
  const metadata = { progress: text, optimizerSteps: String(steps), optimizer: JSON.stringify({ rule, sizes }) };
  return encodeSafetensors({ tensors, metadata });
}

/**
 * Restores weights and optimizer state from a checkpoint, all or nothing.
 *
 * @param module the network.
 * @param optimizer of its parameters.
 * @param file the bytes of a checkpoint, also of version 0.1.
 * @param name of the file, for errors.
 * @param check throws where the progress is not what the caller wrote, before anything is restored. Default: no check.
 * @returns the progress.
 * @throws WeightsError where the file is damaged, or of another network or optimizer.
 * @example const progress = restoreCheckpoint(net, optimizer, bytes, "last.safetensors");
 */
export function restoreCheckpoint(
  module: Module,
  optimizer: Optimizer,
  file: Uint8Array,
  name: string,
  check: (progress: unknown) => void = () => {},
): unknown {
  tensorsOf("restoreCheckpoint", module);
  checkOptimizer("restoreCheckpoint", optimizer);
  checkArray("restoreCheckpoint", "file", file, "Uint8Array");
  checkFunction("restoreCheckpoint", "check", check);
  const weights = asWrittenNow(decodeSafetensors(file, name));
  const [m, v] = [weights.tensors.get(M), weights.tensors.get(V)];
  const { progress, optimizerSteps } = weights.metadata;
  if (!m || progress === undefined || optimizerSteps === undefined)
    throw new WeightsError(`${name} is not a checkpoint: it has no optimizer state.`);
  const parse = (what: string, text: string): unknown => {
    try {
      return JSON.parse(text, (_, x) => (isNotFinite(x) ? Number(x[NOT_FINITE]) : x));
    } catch {
      throw new WeightsError(`${name} is not a checkpoint: its ${what} is not JSON.`);
    }
  };
  const parsed = parse("progress", progress);
  // Checkpoints of version 0.1 do not say which optimizer's state it is.
  const whose = (parse("optimizer", weights.metadata.optimizer ?? "{}") ?? {}) as Pick<
    OptimizerState,
    "rule" | "sizes"
  >;
  const state: OptimizerState = { ...whose, steps: Number(optimizerSteps || Number.NaN), m: m.data, v: v?.data };
  weights.tensors.delete(M);
  weights.tensors.delete(V);
  checkWeights(module, weights, name);
  try {
    check(parsed);
    optimizer.checkState(state);
  } catch (error) {
    throw new WeightsError(`${name}: ${(error as Error).message}`, { cause: error });
  }
  optimizer.restore(state);
  setWeights(module, weights, name);
  return parsed;
}

/** Checkpoints of version 0.1 spell "optimiser". */
function asWrittenNow({ tensors, metadata }: Weights): Weights {
  const renamed = (name: string) => name.replace(/^optimiser/, "optimizer");
  return {
    tensors: new Map([...tensors].map(([name, tensor]) => [renamed(name), tensor])),
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [renamed(name), text])),
  };
}
