import { checkFlag, checkNumber, checkOptions, type Known, number } from "../check.ts";
import { expect, show } from "../kernels/checks.ts";
import { type Conv2dOptions, conv2dOptions } from "../kernels/conv2d/index.ts";
import { ema } from "../kernels/ema.ts";
import { checkAxes, type ReduceOptions, reduceOptions } from "../kernels/reduce.ts";
import { expectTensor, noMore } from "./apply.ts";
import { add, clamp, conv2d, div, exp, log, max, mean, mul, reshape, sqrt, sub, sum, where } from "./ops.ts";
import { noGrad } from "./tape.ts";
import type { Tensor } from "./tensor.ts";

/*
 * Functions that are other functions one after another, and need no kernel and no gradient of their own.
 */

type VarianceOptions = ReduceOptions & { correction?: number };
const varianceOptions: Known<VarianceOptions> = { ...reduceOptions, correction: true };

/** Σ (x − mean)² / (n − correction) over any axes; a correction of 1, PyTorch's default, makes it unbiased. */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  checkOptions("variance", options, varianceOptions);
  expectTensor("variance", "argument 1", x);
  const { correction = 1, ...rest } = options;
  checkNumber("variance", "correction", correction, number.finite);
  const axis = [...checkAxes("variance", x, rest.axis)];
  const n = axis.reduce((product, a) => product * x.shape[a]!, 1);
  // The mean as a constant: what x does to the sum of squares by way of it is 0.
  const { center, missed } = noGrad(() => centerd(x, axis));
  // A mean that is not finite has no digits to correct.
  const digits = noGrad(() => where(sub(missed, missed), 0, missed));
  const d = sub(sub(x, center), digits);
  return div(sum(mul(d, d), { ...rest, axis }), Math.max(0, n - correction));
}

/**
 * x minus its mean over some axes. Of a mean that is large beside the deviations a float lacks the digits that they need:
 * what it misses is the mean of the differences from it, and is subtracted from those.
 */
function centerd(x: Tensor, axis: number[]): { center: Tensor; missed: Tensor; d: Tensor } {
  const center = mean(x, { axis, keepDims: true });
  const near = sub(x, center);
  // As a constant: the gradient through the first mean is that of the whole.
  const missed = noGrad(() => mean(near, { axis, keepDims: true }));
  return { center, missed, d: sub(near, missed) };
}

/** log Σ eˣ over any axes, by way of the largest x, so that nothing overflows. */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkOptions("logSumExp", options, reduceOptions);
  checkFlag("logSumExp", "keepDims", options.keepDims);
  expectTensor("logSumExp", "argument 1", x);
  const axis = [...checkAxes("logSumExp", x, options.axis)];
  // Kept finite: ∞ − ∞ is not a number.
  const top = noGrad(() => clamp(max(x, { axis, keepDims: true }), { min: -3e38, max: 3e38 }));
  const y = add(log(sum(exp(sub(x, top)), { axis, keepDims: true })), top);
  if (options.keepDims) return y;
  return reshape(
    y,
    x.shape.filter((_, a) => !axis.includes(a)),
  );
}

export interface Conv1dOptions extends Omit<Conv2dOptions, "stride" | "padding" | "dilation"> {
  stride?: number;
  padding?: number | "same";
  dilation?: number;
}

/** x [N, C, L], w [O, C/groups, k], b [O]: a convolution over pictures one row high. */
export function conv1d(x: Tensor, w: Tensor, b?: Tensor, options: Conv1dOptions = {}): Tensor {
  expectTensor("conv1d", "argument 1", x);
  expectTensor("conv1d", "argument 2", w);
  expect(
    x.shape.length === 3 && w.shape.length === 3,
    "conv1d",
    () => `x is ${show(x)} and w ${show(w)}, expected [N, C, L] and [O, C/groups, k].`,
  );
  checkOptions("conv1d", options, conv2dOptions as Known<Conv1dOptions>);
  const { stride = 1, padding = 0, dilation = 1, ...rest } = options;
  checkNumber("conv1d", "stride", stride, number.wholeAtLeast1);
  checkNumber("conv1d", "dilation", dilation, number.wholeAtLeast1);
  if (padding !== "same") checkNumber("conv1d", "padding", padding, number.wholeAtLeast0);
  const flat = (t: Tensor) => reshape(t, t.shape.toSpliced(2, 0, 1));
  const y = conv2d(flat(x), flat(w), b, {
    ...rest,
    stride: [1, stride],
    padding: padding === "same" ? padding : [0, padding],
    dilation: [1, dilation],
  });
  return reshape(y, y.shape.toSpliced(2, 1));
}

/** The mean of each channel, [N, C, H, W] → [N, C]. */
export const globalAvgPool2d: (x: Tensor) => Tensor = (x, extra?: unknown, array?: unknown) => {
  noMore("globalAvgPool2d", extra, array);
  expectTensor("globalAvgPool2d", "argument 1", x);
  expect(x.shape.length === 4, "globalAvgPool2d", () => `x is ${show(x)}, expected 4 dimensions [N, C, H, W].`);
  return mean(x, { axis: [2, 3] });
};

export interface BatchNormOptions {
  /** Whether to use the batch's own mean and variance, and to move the running ones towards them. */
  training?: boolean;
  /** Running mean and variance, [C] each, made by `engine.parameter`; changed in place while training. */
  running?: { mean: Tensor; variance: Tensor };
  /** The share of a batch in the running averages. */
  momentum?: number;
  eps?: number;
}
const averages = { mean: true, variance: true } as const;
const batchNormOptions: Known<BatchNormOptions> = { training: true, running: true, momentum: true, eps: true };

/**
 * y = w · (x − mean) / √(variance + ε) + b for each channel of x [N, C, H, W] (Ioffe and Szegedy 2015), w and b [C]. As in
 * PyTorch the batch is normalized by its biased variance, and the running average is of the unbiased one.
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
  const own = training ? centerd(x, axis) : undefined;
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
