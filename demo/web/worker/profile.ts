import { adam } from "handgrad";
import { type LabeledBatch, MultimodalNet, setWeights, trainStep, weightsOf } from "handgrad/model";
import type { EngineReport } from "../shared/protocol.ts";
import type { TeachingSession } from "./session.ts";

/** One training step on a copy of the network, replayed as in training: counted, then timed kernel by kernel. */
export async function profileOf(session: TeachingSession): Promise<EngineReport> {
  const { task } = session;
  const { engine, net } = session.network;
  const copy = new MultimodalNet(engine, net.config);
  setWeights(copy, await weightsOf(net));
  const optimizer = adam(copy.parameters(), { lr: 1e-3, clipNorm: 1 });
  const batch: LabeledBatch = task.batchOf(task.heldOut.slice(0, 32));
  try {
    // From the third step on a plan is only replayed.
    for (let i = 0; i < 3; i++) await trainStep(copy, optimizer, batch);
    const { step, bytes } = engine.stats();
    const profile = await engine.profile(() => trainStep(copy, optimizer, batch));
    return {
      adapter: engine.adapter,
      parameters: copy.size,
      dispatches: step.dispatches,
      submits: step.submits,
      created: step.buffers + step.pipelines + step.bindGroups,
      hostMs: step.milliseconds,
      bytes,
      kernels: profile.kernels(),
    };
  } finally {
    optimizer.dispose();
    for (const parameter of Object.values(copy.parameters())) parameter.dispose();
  }
}
