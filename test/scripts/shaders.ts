import { createEngine } from "../../src/index.ts";
import { opNames } from "../cases/names.ts";
import { networkCases } from "../cases/network.ts";
import { loadOps, longCases, opCases } from "../cases/ops.ts";
import { clippingCases, longClippingCases, optimizerCases } from "../cases/optimizers.ts";
import { variantCases } from "../cases/variants.ts";
import type { Case } from "../harness.ts";

const ops = await loadOps(opNames());
const cases: readonly Case[] = [
  ...opCases(ops),
  ...optimizerCases,
  ...clippingCases,
  ...longCases(ops),
  ...longClippingCases,
  ...networkCases,
];

/**
 * All shaders that the cases of every op have compiled, by each kind of device's own variants and by every other: the kernels'
 * labels and their texts. No device computes anything: this one takes whatever it is given, and what is read back is 0.
 */
export async function shadersOfAllCases(): Promise<{ label: string; code: string }[]> {
  const shaders = new Map<string, { label: string; code: string }>();
  const note = (label: string, code: string) => shaders.set(`${label}\n${code}`, { label, code });
  for (const vendor of ["swiftshader", "nvidia", "intel"]) await compileAll(cases, vendor, {}, note);
  for (const { kernels, variant, cases } of variantCases(ops)) {
    const byFamily = Object.fromEntries(kernels.map((kernel) => [kernel, variant]));
    await compileAll(cases, "swiftshader", byFamily, note);
  }
  return [...shaders.values()];
}

async function compileAll(
  cases: readonly Case[],
  vendor: string,
  byFamily: Readonly<Record<string, string>>,
  note: (label: string, code: string) => void,
): Promise<void> {
  const engine = await createEngine({ seed: 1, adapter: adapterThatComputesNothing(vendor, note) });
  engine.tuning.import({ v: 2, adapter: engine.adapter, variants: byFamily });
  for (const { run } of cases) {
    // Zeros are not what a case expects.
    await run(engine).catch(() => {});
  }
  engine.destroy();
}

function adapterThatComputesNothing(vendor: string, note: (label: string, code: string) => void): GPUAdapter {
  const nothing = () => {};
  const thing = () => ({});
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = { beginComputePass: () => pass, clearBuffer: nothing, copyBufferToBuffer: nothing, finish: thing };
  const limits = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27 };
  const features = new Set(["subgroups"]);
  const device = {
    limits,
    features,
    lost: new Promise(nothing),
    destroy: nothing,
    addEventListener: nothing,
    pushErrorScope: nothing,
    popErrorScope: async () => null,
    createBuffer: ({ size }: GPUBufferDescriptor) => ({
      size,
      destroy: nothing,
      unmap: nothing,
      mapAsync: async () => {},
      getMappedRange: (from = 0, length = size - from) => new ArrayBuffer(length),
    }),
    createBindGroup: thing,
    createBindGroupLayout: thing,
    createPipelineLayout: thing,
    createShaderModule: ({ label = "", code }: GPUShaderModuleDescriptor) => {
      note(label, code);
      return {};
    },
    createComputePipelineAsync: async () => ({}),
    createCommandEncoder: () => encoder,
    queue: { onSubmittedWorkDone: async () => {}, submit: nothing, writeBuffer: nothing },
  };
  const info = { vendor, architecture: "", device: "", description: "" };
  return { info, limits, features, requestDevice: async () => device } as unknown as GPUAdapter;
}
