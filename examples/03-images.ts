import { Random } from "handgrad/data";
import { accuracy, evaluate, fit, linearLayer, objectives, ParameterStore } from "handgrad/model";
import { adam, conv2d, createEngine, flatten, maxPool2d, type Tensor } from "handgrad/node";

/* An image classifier: which way does a line run through noise? node scripts/run.mjs examples/03-images.ts */

const S = 12;
const random = new Random("lines", 1);
function example() {
  const label = random.integer(3);
  const offset = 2 + random.integer(S - 4);
  const image = Float32Array.from({ length: S * S }, () => 0.5 * random.uniform());
  for (let i = 0; i < S; i++) image[[offset * S + i, i * S + offset, i * S + i][label]!]! += 0.6;
  return { image, label };
}
const training = Array.from({ length: 300 }, example);
const testing = Array.from({ length: 200 }, example);

const engine = await createEngine({ seed: 1 });
const store = new ParameterStore(engine, 1); // makes parameters, each from a random stream of its own
const draw = (n: number, random: Random) => Float32Array.from({ length: n }, () => random.normal() / 3);
const w = store.make("filters", [8, 1, 3, 3], draw);
const head = linearLayer(store, "head", { inputs: 8 * (S / 2) ** 2, outputs: 3 });
const net = {
  ...objectives.multiclass, // softmax and cross-entropy
  engine,
  parameters: () => store.parameters(),
  forward({ image }: { image: Float32Array }): Tensor {
    const x = engine.tensor(image, [image.length / S ** 2, 1, S, S]);
    const features = conv2d(x, w, undefined, { padding: "same", activation: "relu" });
    return head(flatten(maxPool2d(features, { kernelSize: 2 }), { start: 1 }));
  },
};
await fit(net, training, { optimizer: adam(net.parameters(), { lr: 0.01 }), epochs: 6, progress: console.log });
const { metrics } = await evaluate(net, testing, { metrics: { accuracy } });
console.log(`accuracy ${metrics.accuracy!.toFixed(3)} on ${testing.length} new images`);
engine.destroy();
