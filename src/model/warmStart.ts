import type { Tensor } from "../autograd/index.ts";
import { checkOptions, describe } from "../check.ts";
import { type Module, tensorsOf } from "./layers.ts";
import { checkFinite, checkNumbers, expectWeights, type NonFinite, type Weights, WeightsError } from "./safetensors.ts";

/** Which tensors `warmStart` loads. */
export interface WarmStartOptions extends NonFinite {
  /** The beginning of the names of the network's parameters to fill, such as "image." Default: all. */
  to?: string;
  /** The beginning of the names in the file instead. Default: the same. */
  from?: string;
}

/** What a warm start did, by the names of the network's parameters. */
export interface WarmStart {
  /** Parameters that took their numbers from the file. */
  loaded: string[];
  /** Not in the file. */
  missing: string[];
  /** In the file with another shape; left as they were. */
  otherShape: string[];
  /** Of the file, under `from`, but not of the network. */
  unused: string[];
}

/**
 * Loads the weights that fit a network by name and shape, and leaves its other parameters as they are: an encoder that was
 * trained elsewhere, say.
 *
 * @param module the network.
 * @param weights such as `decodeSafetensors` or `decodeOnnx` gives.
 * @param options.to the network's parameters to fill: those whose names begin so, such as "image." Default: all.
 * @param options.from how the names in the file begin instead. Default: the same.
 * @param options.allowNonFinite Default false.
 * @returns what was loaded and what was not, by name.
 * @throws WeightsError where nothing fits, so that a mistaken prefix does not pass for a start, and where a tensor that fits
 * holds NaN or ±∞ unless they are allowed. Nothing is changed then.
 * @example const { loaded } = warmStart(net, decodeSafetensors(bytes), { to: "image.", from: "encoder." });
 */
export function warmStart(module: Module, weights: Weights, options: WarmStartOptions = {}): WarmStart {
  const own = tensorsOf("warmStart", module);
  expectWeights("warmStart", weights);
  const { tensors } = weights;
  checkOptions("warmStart", options, { to: true, from: true, allowNonFinite: true });
  const { to = "", from = to } = options;
  for (const [name, value] of Object.entries({ to, from })) {
    if (typeof value !== "string")
      throw new TypeError(`warmStart: ${name} is ${describe(value)}, expected how names begin, such as "image.".`);
  }
  const report: WarmStart = { loaded: [], missing: [], otherShape: [], unused: [] };
  const asked = new Set<string>();
  const fitting = new Map<string, { p: Tensor; shape: readonly number[]; data: Float32Array }>();
  for (const [name, p] of Object.entries(own)) {
    if (!name.startsWith(to)) continue;
    const key = from + name.slice(to.length);
    asked.add(key);
    const found = tensors.get(key);
    const fits = found && String(found.shape) === String(p.shape);
    report[fits ? "loaded" : found ? "otherShape" : "missing"].push(name);
    if (fits) fitting.set(key, { p, ...found });
  }
  // All are looked at before any is taken over.
  for (const [key, tensor] of fitting) checkNumbers("warmStart", key, tensor);
  const { allowNonFinite } = options;
  checkFinite("warmStart", { tensors: fitting, metadata: {} }, { ...(allowNonFinite && { allowNonFinite }) });
  for (const { p, data } of fitting.values()) p.gpu.write(p.slot, data);
  report.unused = [...tensors.keys()].filter((key) => key.startsWith(from) && !asked.has(key));
  if (report.loaded.length > 0) return report;
  throw new WeightsError(
    `warmStart: no tensor "${from}…" fits a parameter "${to}…". The file holds ${[...tensors.keys()].slice(0, 5).join(", ") || "none"}; the network ${Object.keys(own).slice(0, 5).join(", ")}.`,
  );
}
