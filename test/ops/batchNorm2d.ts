import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { type Op, size, y } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ x, w, b, mean, variance }, o) =>
    y(hg.batchNorm2d(x!, w, b, { ...o, ...(mean && variance ? { running: { mean, variance } } : {}) })),
  reference: ({ x, w, b, mean, variance }, o) =>
    y(reference.batchNorm2d(x!, w!, b!, o, mean && variance && { mean, variance })),
  property: {
    draw: fc
      .tuple(size(3), size(3), size(4), size(5))
      .filter(([N, , H, W]) => N * H * W > 1)
      .map(([N, C, H, W]) => ({
        inputs: { x: numbers([N, C, H, W], 1), w: numbers([C], 2), b: numbers([C], 3) },
        options: { training: true },
      })),
    runs: 12,
  },
};
export default op;
