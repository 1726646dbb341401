import { adam, type Engine } from "../../src/index.ts";
import { type Batch, MultimodalNet } from "../../src/model/index.ts";

/** A task small enough to be learned in a test: the label is the bright quarter of an 8 × 8 image. */
export interface Small {
  readonly id: string;
  readonly label: number;
  readonly image: Float32Array;
}
/** The 8 × 8 image of example i, whose quarter `label` is bright, under noise of the given height. */
export const picture = (
  i: number,
  label: number,
  [bright, dark, noise]: readonly [number, number, number] = [0.7, 0.2, 0.2],
): Float32Array =>
  Float32Array.from({ length: 64 }, (_, p) => {
    const quarter = 2 * Math.floor(p / 32) + Math.floor((p % 8) / 4);
    return (quarter === label ? bright : dark) + noise * Math.sin(i * 64 + p * 12.9898);
  });
export const examples: readonly Small[] = Array.from({ length: 64 }, (_, i) => ({
  id: `e${i}`,
  label: i % 4,
  image: picture(i, i % 4),
}));

export const batchOf = (some: readonly Small[]): Batch => ({
  image: Float32Array.from(some.flatMap((e) => [...e.image])),
  words: new Int32Array(some.length).fill(1),
  audio: new Float32Array(some.length),
});

/** A network that has learned nothing yet, and its optimizer. */
export function beginner(engine: Engine) {
  const net = new MultimodalNet(engine, {
    image: { shape: [1, 8, 8], channels: [8] },
    text: { vocabSize: 2, embeddingDim: 2 },
    audio: { features: 1, hidden: 2 },
    head: { outputs: 4, hidden: 32, dropout: 0.2 },
    seed: 1,
  });
  return { net, optimizer: adam(net.parameters(), { lr: 0.01 }) };
}
