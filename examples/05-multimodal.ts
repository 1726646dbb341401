import { batches, Random } from "handgrad/data";
import { evaluateByModality, fit, MultimodalNet } from "handgrad/model";
import { adam, createEngine } from "handgrad/node";

/* One network over image, text and audio, each of which tells a part. node scripts/run.mjs examples/05-multimodal.ts */

const random = new Random("three senses", 1);
const noise = (n: number) => Float32Array.from({ length: n }, () => 0.3 * random.normal());
/** Four classes: the image tells left from right, the sound high from low, and a word in three names the class. */
function example() {
  const label = random.integer(4);
  const image = noise(64).map((x, i) => x + (i % 8 < 4 === label < 2 ? 0.5 : 0));
  const audio = noise(80).map((x, i) => x + (i % 8 < 4 === (label % 2 === 0) ? 0.5 : 0));
  const words = Int32Array.of(random.integer(3) === 0 ? 1 + label : 0, 0);
  return { label, image, words, audio, frames: 10 };
}
const training = Array.from({ length: 320 }, example);
const testing = Array.from({ length: 200 }, example);

const engine = await createEngine({ seed: 1 });
const net = new MultimodalNet(engine, {
  image: { shape: [1, 8, 8], channels: [8] },
  text: { vocabSize: 5, embeddingDim: 8 },
  audio: { features: 8, hidden: 16 },
  fusion: { kind: "gated", dim: 16 },
  head: { outputs: 4, hidden: 32 },
  modalityDropout: 0.2, // so that it learns to do without one
});
await fit(net, training, { optimizer: adam(net.parameters(), { lr: 0.01 }), epochs: 5, progress: console.log });
const { byModalities } = await evaluateByModality(net, batches({ length: 200, at: (i) => testing[i]! }, 50));
for (const [subset, accuracy] of Object.entries(byModalities))
  console.log(`${subset}: accuracy ${accuracy.toFixed(3)}`);
engine.destroy();
