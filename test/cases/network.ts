import { adam, crossEntropy, type Engine } from "../../src/index.ts";
import { MultimodalNet, setWeights } from "../../src/model/index.ts";
import fixture from "../fixtures/reference-network.json" with { type: "json" };
import { type Case, expectClose } from "../harness.ts";
import { batch, weights } from "../reference/network-inputs.ts";

/* The reference network against PyTorch: logits, loss, every gradient, ten steps of Adam. */

interface Brief {
  norm: number;
  at: number[];
  values: number[];
}
interface Expected {
  logits: { data: number[] };
  losses: number[];
  gradients: Record<string, Brief>;
  after: Record<string, Brief>;
}
type Fusion = "concat" | "average" | "weighted";

function referenceNetwork(engine: Engine, fusion: Fusion): MultimodalNet {
  const net = new MultimodalNet(engine, {
    image: { shape: [1, 28, 28] },
    text: { vocabSize: 58 },
    audio: { features: 32 },
    fusion: { kind: fusion },
    head: { outputs: 10 },
  });
  const tensors = new Map(
    Object.entries(net.parameters()).map(([name, { shape }], i) => [name, { shape, data: weights(i, shape) }]),
  );
  setWeights(net, { tensors, metadata: {} });
  return net;
}

function compare(what: string, found: ArrayLike<number>, { norm, at, values }: Brief): void {
  const numbers = Array.from(found);
  expectClose(`the norm of ${what}`, [Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0))], [norm]);
  // Compared to the usual size of its numbers: the norm over all of them.
  const usual = norm / Math.sqrt(numbers.length);
  at.forEach((i, k) => {
    const allowed = 1e-4 * (Math.max(Math.abs(values[k]!), usual) + 1e-5);
    if (!(Math.abs(numbers[i]! - values[k]!) <= allowed))
      throw new Error(`${what}[${i}] is ${numbers[i]}, expected ${values[k]} ± ${allowed}`);
  });
}

export const networkCases: Case[] = (["concat", "average", "weighted"] as const).map((fusion) => ({
  name: `reference network, ${fusion}: logits, loss, gradients and ten steps of Adam as PyTorch's`,
  async run(engine) {
    const expected = (fixture.fusions as unknown as Record<Fusion, Expected>)[fusion];
    const net = referenceNetwork(engine, fusion);
    const { label, ...inputs } = batch();
    const parameters = net.parameters();
    const { logits, loss, gradients } = await engine.step(() => {
      const logits = net.forward(inputs);
      const loss = crossEntropy(logits, label);
      const all = loss.backward();
      return {
        logits,
        loss,
        gradients: Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, all.get(p)])),
      };
    });
    expectClose("logits", await logits.data(), expected.logits.data);
    expectClose("the loss", [await loss.item()], [expected.losses[0]!]);
    for (const [name, d] of Object.entries(gradients))
      compare(`the gradient of ${name}`, await d.data(), expected.gradients[name]!);

    const optimizer = adam(parameters, { lr: 1.5e-3 });
    for (const [step, value] of expected.losses.entries()) {
      const loss = await engine.step(() => {
        const loss = crossEntropy(net.forward(inputs), label);
        optimizer.update(loss.backward());
        return loss;
      });
      expectClose(`the loss of step ${step + 1}`, [await loss.item()], [value]);
    }
    for (const [name, p] of Object.entries(parameters))
      compare(`${name} after ten steps`, await p.data(), expected.after[name]!);
    optimizer.dispose();
  },
}));
