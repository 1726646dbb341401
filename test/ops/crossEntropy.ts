import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { agreeAlong, numbers } from "../agree.ts";
import { arrayOf, loss, type Op, size, whole } from "../descriptor/index.ts";
import { rows } from "../descriptor/variants.ts";
import * as reference from "../reference/index.ts";

const draw = fc
  .tuple(size(7), fc.integer({ min: 2, max: 9 }), fc.float({ min: 0, max: 1, noNaN: true }))
  .map(([N, A, labelSmoothing]) => ({
    inputs: { logits: numbers([N, A], 1) },
    given: {
      labels: arrayOf(
        [N],
        whole(N, (n) => (n * 5) % A),
      ),
      weights: arrayOf([N], Float32Array.from(numbers([N], 7).data)),
    },
    options: { labelSmoothing },
  }));

const op: Op = {
  call: ({ logits, labels, weights }, o) => loss(hg.crossEntropy(logits!, labels!, { ...o, weights })),
  reference: ({ logits, labels, weights }, o) => loss(reference.crossEntropy(logits!, labels!, weights, o)),
  variants: [rows],
  property: { draw, runs: 12 },
  long: [
    {
      name: "crossEntropy: long, smoothing",
      run: (engine) =>
        agreeAlong(
          engine,
          { x: numbers([3, 333], 1) },
          ({ x }) => ({ loss: hg.crossEntropy(x!, [7, 332, 0], { reduction: "none", labelSmoothing: 0.1 }) }),
          ({ x }) => ({
            loss: reference.crossEntropy(x!, reference.array([3], [7, 332, 0]), undefined, {
              reduction: "none",
              labelSmoothing: 0.1,
            }),
          }),
        ),
    },
  ],
};
export default op;
