import { subsetsOf } from "../../../src/model/index.ts";
import { entropyOf, likeliest } from "../../../src/rl/index.ts";
import type { Answered, Insight } from "../shared/protocol.ts";
import type { Course } from "./course.ts";

/** How many of the most unsure examples are shown. */
const UNSURE = 8;

/** What is known and what is not, on all held-out examples and by every subset of modalities. */
export async function insightOf(course: Course): Promise<Insight> {
  const { net, task } = course;
  const { heldOut } = task;
  const classes = task.classes.length;
  const share = (said: readonly (readonly number[])[]) =>
    heldOut.filter(({ label }, i) => label === likeliest(said[i]!)).length / heldOut.length;
  const said = await course.predict(heldOut);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  heldOut.forEach(({ label }, i) => {
    confusion[label]![likeliest(said[i]!)]! += 1;
  });
  const byModalities: Record<string, number> = {};
  for (const subset of subsetsOf(net.modalities)) {
    const isAll = subset.length === net.modalities.length;
    byModalities[isAll ? "all" : subset.join("+")] = share(isAll ? said : await course.predict(heldOut, subset));
  }
  const unsure = said
    .map((probabilities, i) => ({ i, probabilities, entropy: entropyOf(probabilities) }))
    .sort((a, b) => b.entropy - a.entropy)
    .slice(0, UNSURE)
    .map(
      ({ i, probabilities }): Answered => ({
        shown: task.show(heldOut[i]!),
        probabilities,
        action: likeliest(probabilities),
      }),
    );
  return { accuracy: share(said), examples: heldOut.length, confusion, byModalities, unsure };
}
