import { noGrad } from "../../../src/index.ts";
import { evaluateByModality, softmaxOf } from "../../../src/model/index.ts";
import type { Answered, Insight } from "../shared/protocol.ts";
import type { Course } from "./course.ts";

/** How many of the most unsure examples are shown. */
const UNSURE = 8;

/** What the network can and cannot, on all held-out examples and by every subset of modalities. */
export async function insightOf(course: Course): Promise<Insight> {
  const { net, task } = course;
  const { accuracy, confusion, byModalities } = await evaluateByModality(net, course.heldOutBatches());
  const classes = task.classes.length;
  const answered: { i: number; probabilities: number[]; entropy: number }[] = [];
  for (const batch of course.heldOutBatches()) {
    const logits = await net.engine.step(() => noGrad(() => net.forward(batch)));
    const rows = (await logits.data()) as Float32Array;
    logits.dispose();
    for (let n = 0; n < batch.label.length; n++) {
      const probabilities = softmaxOf(rows.subarray(n * classes, (n + 1) * classes));
      const entropy = -probabilities.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
      answered.push({ i: answered.length, probabilities, entropy });
    }
  }
  const unsure = answered
    .sort((a, b) => b.entropy - a.entropy)
    .slice(0, UNSURE)
    .map(({ i, probabilities }): Answered => {
      const action = probabilities.indexOf(Math.max(...probabilities));
      return { shown: task.show(task.heldOut[i]!), probabilities, action };
    });
  return { accuracy, examples: answered.length, confusion, byModalities, unsure };
}
