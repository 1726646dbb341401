import type { DeviceKind } from "./tuning.ts";

/** What an adapter calls itself, for people: `NVIDIA H100 (hopper)`, `SwiftShader Device (Subzero) (cpu)`. */
export function adapterName({ info }: Pick<GPUAdapter, "info">): string {
  const name = info.description || info.device || info.vendor || "unnamed adapter";
  return info.architecture ? `${name} (${info.architecture})` : name;
}

/** What kind of device an adapter is, as far as its name tells: WebGPU does not say. */
export function kindOf({ info }: GPUAdapter): DeviceKind {
  const name = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase();
  if (info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/.test(name)) return "software";
  return /nvidia|geforce|amd|radeon/.test(name) ? "discrete" : "integrated";
}

/**
 * Opens the adapter's device with the buffer sizes that it really offers, not only the least that WebGPU promises, and
 * with what profiling and some variants of kernels use where there is it.
 */
export function openDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const wanted: GPUFeatureName[] = ["timestamp-query", "subgroups"];
  return adapter.requestDevice({
    label: "handgrad",
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
  });
}

/**
 * The browser's adapter.
 *
 * @throws Error that says what to do where there is none.
 */
export async function browserAdapter(): Promise<GPUAdapter> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) {
    throw new Error(
      'createEngine: there is no navigator.gpu here. In Node import createEngine from "handgrad/node"; in a browser use ' +
        "one with WebGPU (Chrome or Edge 113, Firefox 141, Safari 26 or newer) on a page served by https or from localhost.",
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new Error(
      "createEngine: this browser has WebGPU but offers no adapter. Turn on hardware acceleration in its settings, or " +
        "start Chrome with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader to compute on the CPU.",
    );
  }
  return adapter;
}
