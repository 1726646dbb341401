import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { arrayOf, loss, type Op, size, whole } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  // The fixture's weights multiply the rewards' sizes, which are weights here.
  call: ({ logits, actions, rewards, weights }, o) =>
    loss(hg.feedbackLoss(logits!, actions!, weights ? hg.mul(rewards!, weights) : rewards!, o)),
  reference: ({ logits, actions, rewards, weights }) =>
    loss(reference.feedbackLoss(logits!, actions!, rewards!, weights)),
  property: {
    draw: fc.tuple(size(7), fc.integer({ min: 2, max: 9 })).map(([N, A]) => ({
      inputs: { logits: numbers([N, A], 1) },
      given: {
        actions: arrayOf(
          [N],
          whole(N, (n) => (n * 5) % A),
        ),
        rewards: arrayOf([N], Float32Array.from(numbers([N], 7).data)),
      },
    })),
    runs: 12,
  },
};
export default op;
