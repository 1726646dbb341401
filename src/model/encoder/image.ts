import { flatten, maxPool2d, type TensorLike } from "../../autograd/index.ts";
import { checkList, checkNumber, checkOptions, number } from "../../check.ts";
import { convLayer } from "../layers.ts";
import type { EncoderKind } from "./encoder.ts";

/** How a network reads images: convolutions 3×3 that keep the size, each with ReLU and, as a rule, a max pooling. */
export interface ImageConfig {
  /** Channels, height and width of an image: [C, H, W]. */
  shape: readonly [number, number, number];
  /** Output channels of each convolution; any number of them. Default [16, 32]. */
  channels?: readonly number[];
  /** Whether a max pooling that halves height and width follows each convolution. Default: it does. */
  pool?: readonly boolean[] | undefined;
}

/** What the image encoder reads of a batch. */
export interface ImageFields {
  /** [N, C, H, W] */
  image?: TensorLike | undefined;
}

/**
 * Convolutions 3×3 that keep the image's size, each with ReLU and, unless `pool` says otherwise, a max pooling that
 * halves it: [N, C, H, W] → [N, size]. As in LeCun et al. 1998.
 */
export const imageEncoder: EncoderKind<ImageConfig, Required<ImageConfig>, ImageFields> = {
  complete(operation, part, config) {
    checkOptions(`${operation}: ${part}`, config, { shape: true, channels: true, pool: true });
    const { shape, channels = [16, 32], pool = Array.from(channels, () => true) } = config;
    checkList(operation, `${part}.shape`, shape, "channels, height and width");
    if (shape.length !== 3)
      throw new RangeError(`${operation}: ${part}.shape is [${shape}], expected channels, height and width.`);
    for (const [name, sizes] of Object.entries({ shape, channels })) {
      checkList(operation, `${part}.${name}`, sizes, "an array of numbers");
      for (const [i, n] of sizes.entries()) checkNumber(operation, `${part}.${name}[${i}]`, n, number.wholeAtLeast1);
    }
    checkList(operation, `${part}.pool`, pool, "an array of true and false");
    if (!(pool.length === channels.length && pool.every((p) => typeof p === "boolean")))
      throw new RangeError(
        `${operation}: ${part}.pool is [${pool}], expected ${channels.length} times true or false, one for each of the channels ${channels}.`,
      );
    const halvings = pool.filter(Boolean).length;
    if (Math.min(shape[1], shape[2]) < 2 ** halvings)
      throw new RangeError(
        `${operation}: ${part}.shape is [${shape}], expected sides of at least ${2 ** halvings}, as ${halvings} poolings halve it.`,
      );
    return { shape, channels, pool };
  },
  fields: { image: { shape: ({ shape }) => ["N", ...shape] } },
  create(store, { shape: [C, H, W], channels, pool }) {
    const stages = channels.map((outputs, i) => {
      const halves = pool![i]!;
      // Of four numbers of which one is kept, one is to be activated.
      const activation = halves ? "none" : "relu";
      return {
        convolution: convLayer(store, `image.conv${i + 1}`, {
          inputs: channels[i - 1] ?? C,
          outputs,
          size: 3,
          activation,
        }),
        halves,
      };
    });
    const halved = (side: number) => stages.reduce((n, { halves }) => (halves ? Math.floor(n / 2) : n), side);
    return {
      size: (channels.at(-1) ?? C) * halved(H) * halved(W),
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
