import * as hg from "handgrad";
import { MultimodalNet } from "handgrad/model";
import { randomBatch } from "./batch.ts";
import type { Case, Cases } from "./case.ts";

/* The reference network: a whole training step, and only forward. */

export interface Sizes {
  batch: number;
  words: number;
  frames: number;
  hidden: number;
}
export const reference: Sizes = { batch: 32, words: 16, frames: 32, hidden: 64 };
const vocabulary = 1000;
const audio = 40;

const shapeOf = ({ batch, words, frames, hidden }: Sizes) =>
  `batch ${batch}, 28×28 image, ${words} words of ${vocabulary}, ${frames}×${audio} audio${hidden === 64 ? "" : `, hidden ${hidden}`}`;

export function networkOf(engine: hg.Engine, sizes: Sizes) {
  const net = new MultimodalNet(engine, {
    image: { shape: [1, 28, 28] },
    text: { vocabSize: vocabulary },
    audio: { features: audio, hidden: sizes.hidden },
    head: { outputs: 10 },
    seed: 1,
  });
  return { net, batch: randomBatch(sizes.batch, sizes.words, sizes.frames, vocabulary, audio) };
}

export function trainStep(engine: hg.Engine, sizes: Sizes = reference): Case {
  const { net, batch } = networkOf(engine, sizes);
  const optimizer = hg.adam(net.parameters(), { lr: 1e-3 });
  let first: number | undefined;
  return {
    op: "train_step",
    shape: shapeOf(sizes),
    flops: 0,
    bytes: 0,
    alone: true,
    record() {
      const loss = hg.crossEntropy(net.forward(batch, { training: true }), batch.label);
      optimizer.update(loss.backward());
      return { loss };
    },
    // It begins near log 10, the loss of not knowing, and learns the one batch.
    async check({ loss }) {
      const now = await loss!.item();
      if (first === undefined) {
        first = now;
        if (!(Math.abs(now - Math.log(10)) < 0.9)) throw new Error(`the first loss is ${now}`);
      } else if (!(now < first)) throw new Error(`the loss went from ${first} to ${now}`);
    },
  };
}

function forward(engine: hg.Engine): Case {
  const { net, batch } = networkOf(engine, reference);
  return {
    op: "forward",
    shape: shapeOf(reference),
    flops: 0,
    bytes: 0,
    alone: true,
    record: () => ({ y: hg.noGrad(() => net.forward(batch)) }),
    async check({ y }) {
      for (const logit of await y!.data()) if (!(Math.abs(logit) < 10)) throw new Error(`a logit is ${logit}`);
    },
  };
}

export const networkCases: Cases = (engine) => [() => trainStep(engine), () => forward(engine)];
