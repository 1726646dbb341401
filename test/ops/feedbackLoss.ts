import * as hg from "../../src/index.ts";
import { numbers } from "../agree.ts";
import { arrayOf, logitsAndActions, loss, type Op } from "../descriptor/index.ts";
import * as reference from "../reference/index.ts";

const op: Op = {
  // The fixture's weights multiply the rewards' sizes, which are weights here.
  call: ({ logits, actions, rewards, weights }, o) =>
    loss(hg.feedbackLoss(logits!, actions!, weights ? hg.mul(rewards!, weights) : rewards!, o)),
  reference: ({ logits, actions, rewards, weights }) =>
    loss(reference.feedbackLoss(logits!, actions!, rewards!, weights)),
  property: {
    draw: logitsAndActions((N) => ({
      given: { rewards: arrayOf([N], Float32Array.from(numbers([N], 7).data)) },
    })),
    runs: 12,
  },
};
export default op;
