import { type Module, weightsOf } from "../model/index.ts";
import type { Identified } from "./algorithms/index.ts";
import { hashOf } from "./hash.ts";

/* Numbers that are not finite end an update, and no answer is made of them. */

/** What errors say to do. */
export const GO_ON = "Go on from a checkpoint of before, with a lower learning rate or clipped gradients.";

/** @throws Error where probabilities are none, before anything of them is answered. */
export function checkAnswers(examples: readonly Identified[], said: readonly (readonly number[])[]): void {
  said.forEach((probabilities, i) => {
    const bad = probabilities.find((p) => !(p >= 0 && p <= 1));
    if (bad !== undefined)
      throw new Error(
        `learner.act: the network's answer to example ${examples[i]!.id} has the probability ${bad}: its weights, or the example's numbers, are not finite. ${GO_ON}`,
      );
  });
}

/** A name for the weights of a network. @throws Error naming a parameter that is no finite number any more. */
export async function hashOfWeights(net: Module): Promise<string> {
  const { tensors } = await weightsOf(net);
  for (const [name, { data }] of tensors) {
    const at = data.findIndex((x) => !Number.isFinite(x));
    if (at >= 0) throw new Error(`learner: the network's ${name} holds ${data[at]} at ${at}. ${GO_ON}`);
  }
  return hashOf([...tensors.values()].map(({ data }) => data));
}
