import { adam } from "../../../src/index.ts";
import { type LabelledBatch, MultimodalNet, setWeights, trainStep, weightsOf } from "../../../src/model/index.ts";
import type { EngineReport } from "../shared/protocol.ts";
import type { Course } from "./course.ts";

/** One training step on a copy of the network, replayed as in training: counted, then timed kernel by kernel. */
export async function profileOf(course: Course): Promise<EngineReport> {
  const { engine, net, task } = course;
  const copy = new MultimodalNet(engine, net.config);
  setWeights(copy, await weightsOf(net));
  const optimiser = adam(copy.parameters(), { lr: 1e-3, clipNorm: 1 });
  const batch: LabelledBatch = task.batchOf(task.heldOut.slice(0, 32));
  try {
    // From the third step on a plan is only replayed.
    for (let i = 0; i < 3; i++) await trainStep(copy, optimiser, batch);
    const { step, bytes } = engine.stats();
    const profile = await engine.profile(() => trainStep(copy, optimiser, batch));
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
    optimiser.dispose();
    for (const parameter of Object.values(copy.parameters())) parameter.dispose();
  }
}
