import type { Module } from "./layers.ts";
import type { Optimiser } from "./optimiser.ts";
import {
  checkFinite,
  checkWeights,
  decodeSafetensors,
  encodeSafetensors,
  setWeights,
  WeightsError,
  weightsOf,
} from "./safetensors.ts";

/*
 * A checkpoint is one safetensors file: the weights, what the optimiser remembers, and how far the work has come. It is
 * all that is needed to go on to the same bits, given the same data and settings.
 */

/** Names that no parameter has. */
const [M, V] = ["optimiser.m", "optimiser.v"];

/**
 * @param progress whatever JSON can hold.
 * @throws WeightsError where a weight or what the optimiser remembers is no finite number: there is nothing to go on from.
 */
export async function encodeCheckpoint(module: Module, optimiser: Optimiser, progress: unknown): Promise<Uint8Array> {
  const { tensors } = await weightsOf(module);
  const { steps, m, v } = await optimiser.state();
  tensors.set(M, { shape: [m.length], data: m });
  if (v) tensors.set(V, { shape: [v.length], data: v });
  checkFinite("checkpoint", { tensors, metadata: {} }, {});
  const metadata = { progress: JSON.stringify(progress), optimiserSteps: String(steps) };
  return encodeSafetensors({ tensors, metadata });
}

/**
 * Puts a checkpoint's weights and memory back, all or nothing, and gives its progress.
 *
 * @throws WeightsError where it is damaged, or of another network or optimiser.
 */
export function restoreCheckpoint(module: Module, optimiser: Optimiser, file: Uint8Array, name: string): unknown {
  const weights = decodeSafetensors(file, name);
  const [m, v] = [weights.tensors.get(M), weights.tensors.get(V)];
  const { progress, optimiserSteps } = weights.metadata;
  if (!m || progress === undefined || optimiserSteps === undefined)
    throw new WeightsError(`${name} is not a checkpoint: it has no optimiser state.`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(progress);
  } catch {
    throw new WeightsError(`${name} is not a checkpoint: its progress is not JSON.`);
  }
  weights.tensors.delete(M);
  weights.tensors.delete(V);
  checkWeights(module, weights, name);
  optimiser.restore({ steps: Number(optimiserSteps), m: m.data, v: v?.data });
  setWeights(module, weights, name);
  return parsed;
}
