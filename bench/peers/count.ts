/*
 * Counts what an engine asks of WebGPU, whatever engine it is, by wrapping the methods that all of them call. Also gives
 * the engines a `navigator.gpu` in Node, where they expect a browser's.
 */

import { adapterName } from "handgrad";

export interface Counts {
  dispatches: number;
  submits: number;
  buffers: number;
}

const counts: Counts = { dispatches: 0, submits: 0, buffers: 0 };
let wrapped = false;

/** Counts so far, of all engines together. */
export const countsNow = (): Counts => ({ ...counts });

/** From here on dispatches, submits and created buffers are counted. Dawn's or the browser's classes must be global by now. */
export function startCounting(): void {
  if (wrapped) return;
  wrapped = true;
  const wrap = <T extends object>(prototype: T, method: keyof T & string, name: keyof Counts) => {
    const original = prototype[method] as (...args: unknown[]) => unknown;
    Object.defineProperty(prototype, method, {
      configurable: true,
      writable: true,
      value(this: T, ...args: unknown[]) {
        counts[name] += 1;
        return original.apply(this, args);
      },
    });
  };
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroups", "dispatches");
  wrap(GPUComputePassEncoder.prototype, "dispatchWorkgroupsIndirect", "dispatches");
  wrap(GPUQueue.prototype, "submit", "submits");
  wrap(GPUDevice.prototype, "createBuffer", "buffers");
}

/** What the adapter of another engine's device calls itself, named as handgrad's is. */
export const adapterOf = ({ adapterInfo }: GPUDevice): string => adapterName({ info: adapterInfo });

/** Puts `navigator.gpu` in place, each of whose adapters is a new one of `open`. */
export function offerGpu(open: () => Promise<GPUAdapter>): void {
  const gpu = {
    async requestAdapter() {
      const adapter = await open();
      const request = adapter.requestDevice.bind(adapter);
      // TensorFlow.js puts a list into the list of features, which browsers turn to text and Dawn refuses.
      adapter.requestDevice = (descriptor = {}) =>
        request({
          ...descriptor,
          requiredFeatures: [...(descriptor.requiredFeatures ?? [])].flat() as GPUFeatureName[],
        });
      return adapter;
    },
    getPreferredCanvasFormat: () => "bgra8unorm",
    wgslLanguageFeatures: new Set(),
  };
  const navigator = { hardwareConcurrency: 2, userAgent: "Node", gpu };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });
}
