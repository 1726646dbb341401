import { subsetsOf } from "handgrad/model";
import { entropyOf, optimisticArgmax } from "handgrad/rl";
import type { Answered, Insight } from "../shared/protocol.ts";
import type { TeachingSession } from "./session.ts";

/** How many of the most unsure examples are shown. */
const UNSURE = 8;

/** What is known and what is not, on all held-out examples and by every subset of modalities. */
export async function insightOf(session: TeachingSession): Promise<Insight> {
  const { task } = session;
  const { net } = session.network;
  const { heldOut } = task;
  const classes = task.classes.length;
  const share = (said: readonly (readonly number[])[]) =>
    heldOut.filter(({ label }, i) => label === optimisticArgmax(said[i]!)).length / heldOut.length;
  const said = await session.predict(heldOut);
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  heldOut.forEach(({ label }, i) => {
    confusion[label]![optimisticArgmax(said[i]!)]! += 1;
  });
  const byModalities: Record<string, number> = {};
  for (const subset of subsetsOf(net.modalities)) {
    const isAll = subset.length === net.modalities.length;
    byModalities[isAll ? "all" : subset.join("+")] = share(isAll ? said : await session.predict(heldOut, subset));
  }
  const unsure = said
    .map((probabilities, i) => ({ i, probabilities, entropy: entropyOf(probabilities) }))
    .sort((a, b) => b.entropy - a.entropy)
    .slice(0, UNSURE)
    .map(
      ({ i, probabilities }): Answered => ({
        shown: task.show(heldOut[i]!),
        probabilities,
        action: optimisticArgmax(probabilities),
      }),
    );
  return { accuracy: share(said), examples: heldOut.length, confusion, byModalities, unsure };
}
