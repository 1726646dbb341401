import { flatten, maxPool2d } from "../../autograd/index.ts";
import { tensorOf } from "../batch.ts";
import type { FullConfig } from "../config.ts";
import { convLayer, type ParameterStore } from "../layers.ts";
import type { Encoder } from "./encoder.ts";

/**
 * Convolutions 3×3 that keep the image's size, each with ReLU and, unless `pool` says otherwise, a max pooling that
 * halves it: [N, C, H, W] → [N, size]. As in LeCun et al. 1998.
 */
export function imageEncoder(
  store: ParameterStore,
  { channels, pool }: FullConfig,
  image: readonly [number, number, number],
): Encoder {
  const stages = channels.map((outputs, i) => {
    const halves = pool?.[i] ?? true;
    // Of four numbers of which one is kept, one is to be activated.
    const activation = halves ? "none" : "relu";
    return {
      convolution: convLayer(store, `image.conv${i + 1}`, channels[i - 1] ?? image[0], outputs, 3, activation),
      halves,
    };
  });
  const halved = (side: number) => stages.reduce((n, { halves }) => (halves ? Math.floor(n / 2) : n), side);
  return {
    size: (channels.at(-1) ?? image[0]) * halved(image[1]) * halved(image[2]),
    encode(batch, N) {
      let x = tensorOf(store.engine, batch, "image", [N, ...image]);
      for (const { convolution, halves } of stages) {
        x = convolution(x);
        if (halves) x = maxPool2d(x, { kernelSize: 2, activation: "relu" });
      }
      return flatten(x, { start: 1 });
    },
  };
}
