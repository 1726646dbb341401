import { existsSync } from "node:fs";
import type { MultimodalNet } from "handgrad/model";
import { createEngine, type Engine } from "handgrad/node";
import { type FeedbackLog, type Learner, memoryLog } from "handgrad/rl";
import { optimizerOf } from "../learner/learner.ts";
import { loadTriDigits } from "../tridigits/load.ts";
import type { TriDigit, TriDigits } from "../tridigits/tridigits.ts";
import { agentOf, networkOf } from "./agent.ts";
import { RunFolder } from "./run-folder.ts";
import { type Settings, UsageError } from "./settings.ts";

/** What a run that is done has made, to be used and not taught. */
export interface Trained {
  readonly folder: RunFolder;
  readonly settings: Settings;
  readonly data: TriDigits;
  readonly engine: Engine;
  readonly net: MultimodalNet;
  /** Answers as the run's learner does, with its memory of hints; the network alone where nobody judged. */
  agent(log?: FeedbackLog): Learner<TriDigit>;
  readonly learned: boolean;
}

/** @throws UsageError where the folder is not that of a run, or the run is not done; WeightsError where it is damaged. */
export async function openTrained(path: string, { software = false } = {}): Promise<Trained> {
  const folder = RunFolder.open(path);
  const { settings } = folder;
  const resume = `Go on with: handgrad ${settings.command} --resume ${path}`;
  const checkpoint = folder.file("checkpoint.safetensors");
  if (!existsSync(checkpoint)) throw new UsageError(`${path} holds no checkpoint yet. ${resume}`);
  const data = loadTriDigits();
  const engine = await createEngine({ seed: settings.seed, software: software || settings.software });
  try {
    const net = networkOf(settings, engine, data);
    const optimizer = optimizerOf(net, settings.lr);
    const { stage, learner: state } = folder.loadCheckpoint(net, optimizer)!;
    if (stage !== "done") throw new UsageError(`the run ${path} is not done. ${resume}`);
    // Without a memory, "replay" answers as the network does.
    const how = state ? settings : { ...settings, method: "replay" as const };
    const agent = (log = memoryLog()) => agentOf(net, optimizer, { settings: how, data, log, state, from: checkpoint });
    return { folder, settings, data, engine, net, agent, learned: state !== null };
  } catch (error) {
    engine.destroy();
    throw error;
  }
}
