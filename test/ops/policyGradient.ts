import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { arrayOf, logitsAndActions, loss, type Op } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  call: ({ logits, actions, advantages, referenceLogProbabilities }, o) =>
    loss(hg.policyGradient(logits!, actions!, advantages!, { ...o, referenceLogits: referenceLogProbabilities })),
  reference: ({ logits, actions, advantages, referenceLogProbabilities }, o) =>
    loss(reference.policyGradient(logits!, actions!, advantages!, o, referenceLogProbabilities)),
  property: {
    draw: logitsAndActions((N, A) => ({
      given: {
        advantages: arrayOf([N], Float32Array.from(numbers([N], 7).data)),
        referenceLogProbabilities: arrayOf([N, A], Float32Array.from(reference.logSoftmax(numbers([N, A], 5)).data)),
      },
      options: { entropyCoef: 0.1, klCoef: 0.2 },
    })),
    runs: 12,
  },
};
export default op;
