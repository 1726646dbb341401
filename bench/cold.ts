import { adam, createEngine, crossEntropy } from "handgrad/node";
import { networkOf, reference } from "./cases-network.ts";

/* A process of its own: from its start to the first loss of the reference network, everything compiled on the way. */

const engine = await createEngine({ seed: 1, software: process.argv.includes("--software") });
const { net, batch } = networkOf(engine, reference);
const optimizer = adam(net.parameters(), { lr: 1e-3 });
const loss = await engine.step(() => {
  const loss = crossEntropy(net.forward(batch, { training: true }), batch.label);
  optimizer.update(loss.backward());
  return loss;
});
const value = await loss.item();
// performance.now() counts from when the process began.
const { dispatches, submits, buffers, pipelines } = engine.stats().step;
console.log(JSON.stringify({ milliseconds: performance.now(), loss: value, dispatches, submits, buffers, pipelines }));
engine.destroy();
