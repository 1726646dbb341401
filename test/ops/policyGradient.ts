import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { arrayOf, loss, type Op, size, whole } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ logits, actions, advantages, referenceLogProbabilities }, o) =>
    loss(hg.policyGradient(logits!, actions!, advantages!, { ...o, referenceLogits: referenceLogProbabilities })),
  reference: ({ logits, actions, advantages, referenceLogProbabilities }, o) =>
    loss(reference.policyGradient(logits!, actions!, advantages!, o, referenceLogProbabilities)),
  property: {
    draw: fc.tuple(size(7), fc.integer({ min: 2, max: 9 })).map(([N, A]) => ({
      inputs: { logits: numbers([N, A], 1) },
      given: {
        actions: arrayOf(
          [N],
          whole(N, (n) => (n * 5) % A),
        ),
        advantages: arrayOf([N], Float32Array.from(numbers([N], 7).data)),
        referenceLogProbabilities: arrayOf([N, A], Float32Array.from(reference.logSoftmax(numbers([N, A], 5)).data)),
      },
      options: { entropyCoef: 0.1, klCoef: 0.2 },
    })),
    runs: 12,
  },
};
export default op;
