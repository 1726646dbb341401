import { flatten, maxPool2d, type TensorLike } from "../../autograd/index.ts";
import { checkList, checkNumber, checkOptions, number } from "../../check.ts";
import { convLayer } from "../layers.ts";
import type { EncoderKind } from "./encoder.ts";

/** How a network reads images: convolutions, each with ReLU and, as a rule, a max pooling. */
export interface ImageConfig {
  /** Channels, height and width of an image: [C, H, W]. */
  shape: readonly [number, number, number];
  /** Output channels of each convolution; any number of them. Default [16, 32]. */
  channels?: readonly number[];
  /** Sides of each convolution's window, odd. Default: 3 each. */
  kernelSize?: readonly number[] | undefined;
  /** Steps of each convolution: height and width H become ⌈H / stride⌉. Default: 1 each. */
  stride?: readonly number[] | undefined;
  /** Whether a max pooling that halves height and width follows each convolution. Default: it does. */
  pool?: readonly boolean[] | undefined;
}

/** What the image encoder reads of a batch. */
export interface ImageFields {
  /** [N, C, H, W] */
  image?: TensorLike | undefined;
}

/**
 * Convolutions, 3×3 with stride 1 unless told otherwise, each with ReLU and, unless `pool` says otherwise, a max pooling
 * that halves the image: [N, C, H, W] → [N, size]. As in LeCun et al. 1998.
 */
export const imageEncoder: EncoderKind<ImageConfig, Required<ImageConfig>, ImageFields> = {
  complete(operation, part, config) {
    checkOptions(`${operation}: ${part}`, config, {
      shape: true,
      channels: true,
      kernelSize: true,
      stride: true,
      pool: true,
    });
    const { shape, channels = [16, 32] } = config;
    checkList(operation, `${part}.shape`, shape, "channels, height and width");
    if (shape.length !== 3)
      throw new RangeError(`${operation}: ${part}.shape is [${shape}], expected channels, height and width.`);
    checkSizes(operation, `${part}.shape`, shape);
    checkSizes(operation, `${part}.channels`, channels);
    const {
      kernelSize = channels.map(() => 3),
      stride = channels.map(() => 1),
      pool = channels.map(() => true),
    } = config;
    checkSizes(operation, `${part}.kernelSize`, kernelSize);
    checkSizes(operation, `${part}.stride`, stride);
    checkList(operation, `${part}.pool`, pool, "an array of true and false");
    const perChannels = (name: string, list: readonly unknown[], expected: string, holds: (x: never) => boolean) => {
      if (!(list.length === channels.length && list.every((x) => holds(x as never))))
        throw new RangeError(
          `${operation}: ${part}.${name} is [${list}], expected ${channels.length} times ${expected}, one for each of the channels ${channels}.`,
        );
    };
    perChannels("kernelSize", kernelSize, "an odd number", (k: number) => k % 2 === 1);
    perChannels("stride", stride, "a whole number", () => true);
    perChannels("pool", pool, "true or false", (p: unknown) => typeof p === "boolean");
    const sides = [shape[1], shape[2]].map((side) => sideAfter(side, stride, pool));
    if (sides.some((side) => side < 1))
      throw new RangeError(
        `${operation}: ${part}.shape is [${shape}], expected larger sides: its strides and poolings leave ${sides.join(" × ")}.`,
      );
    return { shape, channels, kernelSize, stride, pool };
  },
  fields: { image: { shape: ({ shape }) => ["N", ...shape] } },
  create(store, { shape: [C, H, W], channels, kernelSize, stride, pool }) {
    const stages = channels.map((outputs, i) => {
      const halves = pool![i]!;
      // Of four numbers of which one is kept, one is to be activated.
      const activation = halves ? "none" : "relu";
      return {
        convolution: convLayer(store, `image.conv${i + 1}`, {
          inputs: channels[i - 1] ?? C,
          outputs,
          size: kernelSize![i]!,
          stride: stride![i]!,
          activation,
        }),
        halves,
      };
    });
    return {
      size: (channels.at(-1) ?? C) * sideAfter(H, stride!, pool!) * sideAfter(W, stride!, pool!),
      encode(read) {
        let x = read("image");
        for (const { convolution, halves } of stages) {
          x = convolution(x);
          if (halves) x = maxPool2d(x, { kernelSize: 2, activation: "relu" });
        }
        return flatten(x, { start: 1 });
      },
    };
  },
};

function checkSizes(operation: string, what: string, sizes: readonly number[]): void {
  checkList(operation, what, sizes, "an array of numbers");
  for (const [i, n] of sizes.entries()) checkNumber(operation, `${what}[${i}]`, n, number.wholeAtLeast1);
}

/** What is left of a side behind all convolutions and poolings. */
const sideAfter = (side: number, stride: readonly number[], pool: readonly boolean[]): number =>
  stride.reduce((n, step, i) => Math.floor(Math.ceil(n / step) / (pool[i] ? 2 : 1)), side);
