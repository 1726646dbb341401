import { adam, crossEntropy, type Engine } from "../../src/index.ts";
import { MultimodalNet } from "../../src/model/index.ts";

/** A training step of the reference network on made-up data of T frames. */
export function trainer(engine: Engine, T: number, usual = 32) {
  const net = new MultimodalNet(engine, {
    image: { shape: [1, 28, 28] },
    text: { vocabSize: 58 },
    audio: { features: 32 },
    head: { outputs: 10, dropout: 0.3 },
    modalityDropout: 0.15,
  });
  const optimizer = adam(net.parameters(), { lr: 1e-3, clipNorm: 1 });
  const wave = (n: number, f: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * f));
  return (t: number, N = usual) => {
    // New arrays each time, as batches are.
    const batch = {
      image: wave(N * 784, 0.37 + t),
      words: Int32Array.from({ length: N * 8 }, (_, i) => (i * 31 + t) % 58),
      audio: wave(N * T * 32, 1.7 + t),
      frames: Int32Array.from({ length: N }, (_, i) => 1 + ((i * 13) % T)),
    };
    const label = Int32Array.from({ length: N }, (_, i) => i % 10);
    return engine.step(() => {
      const loss = crossEntropy(net.forward(batch, { training: true }), label);
      optimizer.update(loss.backward());
      return loss;
    });
  };
}
