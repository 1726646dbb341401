import { mul, noGrad, softmax, sum } from "../../autograd/index.ts";
import { checkList, checkNumber, checkOptions, floats, type Known, number } from "../../check.ts";
import type { Batch, MultimodalNet } from "../../model/index.ts";
import { total } from "../../numbers.ts";
import { checkAction, checkNet, knownSize, oneOf, repeated } from "./example.ts";

/** How `integratedGradients` approximates its integral, and from where. */
export interface IntegratedGradientsOptions {
  /** Points on the way from the baseline to the example, evaluated as one batch. Default 32. */
  readonly steps?: number;
  /** The input x′ that stands for absence. Default: zeros, a black picture and silence. */
  readonly baseline?: {
    /** [C, H, W]. */
    readonly image?: Float32Array;
    /** [T, D]. */
    readonly audio?: Float32Array;
  };
}

const KNOWN: Known<IntegratedGradientsOptions> = { steps: true, baseline: true };

/** What each number of an example adds to the probability of an action. */
export interface Attribution {
  /** [C, H, W], what each pixel adds to the probability. */
  readonly image?: Float32Array;
  /** [T, D], what each number of the sound adds. */
  readonly audio?: Float32Array;
  /** [T], the same, summed over each frame. */
  readonly frames?: Float32Array;
  /** The action's probability at the baseline, p(x′). */
  readonly from: number;
  /** Its probability for the example itself, p(x). */
  readonly to: number;
}

/**
 * Integrated gradients (Sundararajan, Taly and Yan 2017) of the probability p of an action, over image and audio at once;
 * the words stay as they are.
 *
 * attribution_i = (x_i − x′_i) · ∫₀¹ ∂p/∂x_i (x′ + α (x − x′)) dα        Σ_i attribution_i = p(x) − p(x′)
 *
 * The integral is a midpoint sum of `steps` gradients, one batch forward and backward. Where p(x) − p(x′) and the sum differ
 * by much, more steps are needed.
 *
 * @param net a network that reads image, audio or both.
 * @param batch of one example, in typed arrays.
 * @param action whose probability is explained.
 * @param options.steps points between baseline and example. Default 32.
 * @param options.baseline x′. Default: zeros.
 * @returns attributions of the modalities that the network reads.
 * @throws TypeError or RangeError naming the option, the action or the part of the batch that cannot be.
 * @example const { image, from, to } = await integratedGradients(net, batchOf([example]), action);
 */
export async function integratedGradients(
  net: MultimodalNet,
  batch: Batch,
  action: number,
  options: IntegratedGradientsOptions = {},
): Promise<Attribution> {
  checkNet("integratedGradients", net);
  checkOptions("integratedGradients", options, KNOWN);
  const { steps = 32, baseline = {} } = options;
  checkNumber("integratedGradients", "steps", steps, number.wholeAtLeast1);
  checkOptions("integratedGradients: baseline", baseline, { image: true, audio: true });
  checkAction("integratedGradients", "action", net, action);
  const one = oneOf("integratedGradients", net, batch);
  const parts = (["image", "audio"] as const)
    .filter((name) => net.modalities.includes(name))
    .map((name) => {
      const x = one[name] as Float32Array;
      const given = baseline[name];
      if (given !== undefined) checkList("integratedGradients", `baseline.${name}`, given, "a Float32Array");
      const from = given ? floats("integratedGradients", `baseline.${name}`, given) : new Float32Array(x.length);
      if (from.length !== x.length) {
        throw new TypeError(
          `integratedGradients: the baseline's ${name} holds ${from.length} numbers, not ${x.length}.`,
        );
      }
      const open = x.length / knownSize(net, name);
      const shape = net.fields[name]!.shape.slice(1).map((size) => (typeof size === "number" ? size : open));
      const path = new Float32Array(steps * x.length);
      for (let k = 0; k < steps; k++) {
        const alpha = (k + 0.5) / steps;
        for (let i = 0; i < x.length; i++) path[k * x.length + i] = from[i]! + alpha * (x[i]! - from[i]!);
      }
      return { name, x, from, along: net.engine.parameter(path, [steps, ...shape]) };
    });
  if (parts.length === 0) throw new TypeError("integratedGradients: the network takes neither picture nor sound.");
  const path = { ...repeated(one, steps), ...Object.fromEntries(parts.map(({ name, along }) => [name, along])) };
  const gradients = await net.engine.step(() => {
    const p = softmax(net.forward(path));
    const A = p.shape[1]!;
    const chosen = Float32Array.from({ length: steps * A }, (_, i) => (i % A === action ? 1 / steps : 0));
    const all = sum(mul(p, net.engine.tensor(chosen, [steps, A]))).backward();
    return parts.map(({ along }) => all.get(along));
  });
  const attributions = await Promise.all(
    parts.map(async ({ name, x, from, along }, k) => {
      const d = (await gradients[k]!.data()) as Float32Array;
      gradients[k]!.dispose();
      along.dispose();
      // The gradient of the mean over the steps is 1 / steps of each step's own.
      const attribution = Float32Array.from(x, (value, i) => {
        let slope = 0;
        for (let s = 0; s < steps; s++) slope += d[s * x.length + i]!;
        return (value - from[i]!) * slope;
      });
      return [name, attribution] as const;
    }),
  );
  const ends = { ...repeated(one, 2), ...Object.fromEntries(parts.map(({ name, x, from }) => [name, both(from, x)])) };
  const p = await net.engine.step(() => noGrad(() => softmax(net.forward(ends))));
  const rows = (await p.data()) as Float32Array;
  p.dispose();
  const found = Object.fromEntries(attributions) as { image?: Float32Array; audio?: Float32Array };
  const D = net.config.audio?.features ?? 1;
  const frames = found.audio && {
    frames: Float32Array.from({ length: found.audio.length / D }, (_, t) =>
      total(found.audio!.subarray(t * D, (t + 1) * D)),
    ),
  };
  return { ...found, ...frames, from: rows[action]!, to: rows[rows.length / 2 + action]! };
}

const both = (a: Float32Array, b: Float32Array) => Float32Array.from([...a, ...b]);
