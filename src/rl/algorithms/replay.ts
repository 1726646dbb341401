import { feedbackLoss as judgedLoss, noGrad } from "../../autograd/index.ts";
import { softmaxOf } from "../../model/index.ts";
import {
  type Algorithm,
  type Judged,
  type MethodRecord,
  type Policy,
  pieces,
  type UpdateContext,
} from "./algorithm.ts";
import { estimateNoise } from "./noise.ts";
import { type ReinforceSettings, reinforce } from "./reinforce.ts";

/** Settings of "replay", beside those of "reinforce". */
export interface ReplaySettings {
  /** Steps in an update. Default 8. */
  stepsPerUpdate: number;
  /** Examples in each step. Default 32. */
  batch: number;
  /** ε, the share of judgements taken to be mistaken, from 0 to under 0.5; "estimated": by the log itself. Default "estimated". */
  labelNoise: number | "estimated";
}
const defaults: ReplaySettings = { stepsPerUpdate: 8, batch: 32, labelNoise: "estimated" };

/** REINFORCE on the newest judgements, then replay of the whole log. */
export const replay: MethodRecord<"replay", ReinforceSettings & ReplaySettings> = {
  name: "replay",
  defaults: { ...reinforce.defaults, ...defaults },
  onPolicy: false,
  groups: false,
  answers: "sampled",
  create: (settings, recurring) => [...reinforce.create(settings, recurring), createReplay(settings)],
};

/**
 * Learns again and again from the whole log, by what a judgement says about the label: right means that the answer a is
 * the label, wrong means that it is another one, and a share ε of judgements is mistaken,
 *   right: −log((1 − ε) p + ε (1 − p))     wrong: −log((1 − ε)(1 − p) + ε p),   p = π(a | x)
 * (noise as by Natarajan et al. 2013; "wrong" as a complementary label, Ishida et al. 2017). It needs no baseline, and a
 * judgement is never used up. Labeled examples join in as answers that are known to be right.
 */
export function createReplay<E extends { readonly id: string }>(settings: ReplaySettings): Algorithm<E> {
  return {
    async learn({ policy, optimizer, judged, labeled, batchOf, random }) {
      const pool = [
        ...labeled.map((example) => ({ example: example as E, action: example.label, reward: 1 })),
        ...judged,
      ];
      if (pool.length === 0) return undefined;
      const noise = noiseOf(settings.labelNoise, judged);
      const order = random("replay");
      let sum = 0;
      for (let i = 0; i < settings.stepsPerUpdate; i++) {
        const rows = Array.from({ length: settings.batch }, () => order.choice(pool));
        const batch = batchOf(rows.map((row) => row.example));
        const loss = await policy.engine.step(() => {
          const loss = judgedLoss(
            policy.forward(batch, { training: true }),
            rows.map((row) => row.action),
            rows.map((row) => row.reward),
            { labelNoise: noise },
          );
          optimizer.update(loss.backward());
          return loss;
        });
        sum += await loss.item();
      }
      return sum / settings.stepsPerUpdate;
    },
  };
}

/** A share of mistakes as it was set, or by what the policy thought of its answers and what people then said. */
export function noiseOf<E>(setting: number | "estimated", judged: readonly Judged<E>[]): number {
  if (setting !== "estimated") return setting;
  return estimateNoise(judged.map(({ probabilities, action, reward }) => ({ p: probabilities[action]!, reward })));
}

/** π(· | x) of examples, without dropout: [N][A]. */
export async function probabilitiesOf<E>(
  policy: Policy,
  examples: readonly E[],
  batchOf: UpdateContext<E>["batchOf"],
): Promise<number[][]> {
  const classes = policy.numOutputs;
  const { batchSize = 100 } = policy;
  const all: number[][] = [];
  for (const piece of pieces(examples, batchSize)) {
    // Filled up, so that all pieces are of one size and share one plan of the device.
    const full = [
      ...piece,
      ...Array.from({ length: Math.min(examples.length, batchSize) - piece.length }, () => piece[0]!),
    ];
    const batch = batchOf(full);
    const logits = await policy.engine.step(() => noGrad(() => policy.forward(batch)));
    const numbers = (await logits.data()) as Float32Array;
    logits.dispose();
    for (let i = 0; i < piece.length; i++) all.push(softmaxOf(numbers.subarray(i * classes, (i + 1) * classes)));
  }
  return all;
}
