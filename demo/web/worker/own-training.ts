import { cosine, type Engine } from "handgrad";
import { Random } from "handgrad/data";
import { encodeSafetensors, MultimodalNet, trainStep, weightsOf } from "handgrad/model";
import { optimizerOf } from "../../learner/learner.ts";
import type { WorkerEvent } from "../shared/protocol.ts";
import type { OwnTask } from "./own-task.ts";
import { type Kept, keptAtStart } from "./storage.ts";

const STEPS = 120;
const BATCH = 16;
const RATE = 1.5e-3;
const SEED = 1;
const decayed = cosine(1, 1, 0.05);

/** Trains a new network on the examples of a task that have a name; gives what is kept of it. */
export async function trainOwn(engine: Engine, task: OwnTask, emit: (event: WorkerEvent) => void): Promise<Kept> {
  const net = new MultimodalNet(engine, { ...task.config, seed: SEED });
  const optimizer = optimizerOf(net, RATE);
  const random = new Random("own", SEED);
  try {
    for (let step = 0; step < STEPS; step++) {
      const items = Array.from({ length: BATCH }, () => random.choice(task.labeled));
      optimizer.lr = RATE * decayed(step / STEPS);
      const { loss } = await trainStep(net, optimizer, task.batchOf(items, step));
      if (step % 5 === 4) emit({ kind: "training", done: step + 1, of: STEPS, loss });
    }
    return keptAtStart(encodeSafetensors(await weightsOf(net)), engine.stepCount);
  } finally {
    optimizer.dispose();
    for (const parameter of Object.values(net.parameters())) parameter.dispose();
  }
}
