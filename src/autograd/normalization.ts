import { checkFlag, checkNumber, checkOptions, type Known, number } from "../check.ts";
import { expect, show } from "../kernels/checks.ts";
import { ema } from "../kernels/ema.ts";
import { layerNorm as layerNormKernel } from "../kernels/layerNorm.ts";
import { applySingle, expectTensor } from "./apply.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { sqrt } from "./elementwise.ts";
import { centered, mean } from "./reduce.ts";
import { reshape } from "./shape.ts";
import { noGrad } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance, at least 0. Default 1e-5. */
  eps?: number;
}
const layerNormOptions: Known<LayerNormOptions> = { eps: true };

/**
 * Layer normalization over the last axis (Ba, Kiros and Hinton 2016).
 *
 * y = w ⊙ (x − μ) / √(σ² + ε) + b, with the mean μ and the biased variance σ² of each row
 *
 * @param x [..., D], f32
 * @param w scale [D]. Default: none.
 * @param b shift [D]. Default: none.
 * @param options.eps ε, at least 0. Default 1e-5.
 * @returns of the shape of x. Differentiable in x, w and b.
 * @throws TypeError where w or b is not [D], or D is 0.
 * @example const y = layerNorm(x, w, b);
 */
export const layerNorm = (x: Tensor, w?: Tensor, b?: Tensor, options: LayerNormOptions = {}): Tensor => {
  checkOptions("layerNorm", options, layerNormOptions);
  return applySingle("layerNorm", layerNormKernel, [x, w, b], options, 1);
};

/** Running averages of `batchNorm2d`, made by `engine.parameter` and changed in place while training. */
export interface BatchNormAverages {
  /** Mean of each channel, [C]; zeros to begin with. */
  mean: Tensor;
  /** Unbiased variance of each channel, [C]; ones to begin with. */
  variance: Tensor;
}

/** Options of `batchNorm2d`. */
export interface BatchNormOptions {
  /** Whether to use the batch's own mean and variance, and to move the running ones towards them. Default false. */
  training?: boolean;
  /** Running mean and variance; needed without training. */
  running?: BatchNormAverages;
  /** The share of a batch in the running averages, 0 … 1. Default 0.1. */
  momentum?: number;
  /** Added to the variance, at least 0. Default 1e-5. */
  eps?: number;
}
const averages: Known<BatchNormAverages> = { mean: true, variance: true };
const batchNormOptions: Known<BatchNormOptions> = { training: true, running: true, momentum: true, eps: true };

/**
 * Batch normalization of each channel (Ioffe and Szegedy 2015). As in PyTorch the batch is normalized by its biased variance,
 * and the running average is of the unbiased one.
 *
 * y[n, c] = w[c] · (x[n, c] − mean[c]) / √(variance[c] + ε) + b[c]
 *
 * @param x [N, C, H, W], f32
 * @param w scale [C]. Default: none.
 * @param b shift [C]. Default: none.
 * @param options.training whether to use the batch's own mean and variance, and to move the running ones. Default false.
 * @param options.running running `mean` and `variance`, [C] each; changed in place while training.
 * @param options.momentum the share of a batch in the running averages, 0 … 1. Default 0.1.
 * @param options.eps ε, at least 0. Default 1e-5.
 * @returns [N, C, H, W]. Differentiable in x, w and b.
 * @throws TypeError where shapes do not fit, one tensor stands in two places, or there is no running average and no training.
 * @throws RangeError where momentum or eps is out of range.
 * @example const y = batchNorm2d(x, w, b, { training: true, running: { mean: runningMean, variance: runningVariance } });
 */
export function batchNorm2d(x: Tensor, w?: Tensor, b?: Tensor, options: BatchNormOptions = {}): Tensor {
  const op = "batchNorm2d";
  checkOptions(op, options, batchNormOptions);
  const { training = false, running, momentum = 0.1, eps = 1e-5 } = options;
  checkFlag(op, "training", training);
  checkOptions(`${op}: running`, running, averages);
  expect(
    !running || (running.mean !== undefined && running.variance !== undefined),
    op,
    () => "running lacks its mean or its variance, expected both.",
  );
  checkNumber(op, "momentum", momentum, number.share);
  checkNumber(op, "eps", eps, number.atLeast0);
  expectTensor(op, "argument 1", x);
  expect(x.shape.length === 4, op, () => `x is ${show(x)}, expected 4 dimensions [N, C, H, W].`);
  const C = x.shape[1]!;
  const n = (x.shape[0]! * x.shape[2]! * x.shape[3]!) as number;
  const perName = Object.entries({ w, b, ...running }).filter(
    (entry): entry is [string, Tensor] => entry[1] !== undefined,
  );
  for (const [name, value] of perName) {
    expectTensor(op, name, value);
    expect(show(value) === show([C]), op, () => `${name} is ${show(value)}, expected [${C}] as x is ${show(x)}.`);
    const same = perName.find(([, other]) => other.slot === value.slot)![0];
    expect(
      same === name || !running,
      op,
      () => `${same} and ${name} are one tensor, and the running averages are changed in place. Give each its own.`,
    );
  }
  expect(training || running !== undefined, op, () => "without training it needs `running`, a mean and a variance.");
  expect(!training || n > 1, op, () => `x is ${show(x)}: one number a channel has no variance to train with.`);
  const perChannel = (t: Tensor) => reshape(t, [1, C, 1, 1]);
  const axis = [0, 2, 3];
  const own = training ? centered(x, axis) : undefined;
  const d = own?.d ?? sub(x, perChannel(running!.mean));
  const spread = training ? mean(mul(d, d), { axis, keepDims: true }) : perChannel(running!.variance);
  if (own && running) {
    noGrad(() => {
      const unbiased = mul(spread, n / (n - 1));
      const { recording } = x.gpu;
      ema(recording!, op, running.mean, add(own.center, own.missed), momentum);
      ema(recording!, op, running.variance, unbiased, momentum);
    });
  }
  const normal = div(d, sqrt(add(spread, eps)));
  const scaled = w ? mul(normal, perChannel(w)) : normal;
  return b ? add(scaled, perChannel(b)) : scaled;
}
