import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  decodeSafetensors,
  encodeCheckpoint,
  encodeSafetensors,
  type MultimodalNet,
  type Optimizer,
  restoreCheckpoint,
  setWeights,
  weightsOf,
} from "handgrad/model";
import { appendLine, LockedError, lock, replaceFile } from "handgrad/node";
import { type Metric, readMetrics } from "./metrics.ts";
import { say } from "./progress.ts";
import { readFile } from "./read-file.ts";
import { readSettings, type Settings, UsageError } from "./settings.ts";
import { checkProgress, type Progress } from "./stage.ts";
import { upgradedProgress } from "./upgrade.ts";

/** A run's folder: config.json, checkpoint and model, feedback.jsonl, metrics.jsonl, report.html. */
export class RunFolder {
  #unlock: (() => void) | undefined;

  private constructor(
    readonly path: string,
    readonly settings: Settings,
  ) {}

  file(name: string): string {
    return join(this.path, name);
  }

  /** @throws UsageError where the folder holds something already, or another process begins a run there. */
  static async create(path: string | undefined, settings: Settings): Promise<RunFolder> {
    const folder = path ?? makeFree(join("runs", `${settings.command}-seed${settings.seed}`));
    const taken = () =>
      new UsageError(
        `${folder} is not empty. Continue that run with --resume ${folder}, or name another folder with --out.`,
      );
    const holdsSomething = () => readdirSync(folder).some((name) => !isOfLock(name));
    makeFolder(folder);
    if (holdsSomething()) throw taken();
    const run = new RunFolder(folder, settings);
    await run.lock();
    try {
      if (holdsSomething()) throw taken();
      await replaceFile(run.file("config.json"), `${JSON.stringify(settings, null, 2)}\n`, { existing: "keep" });
    } catch (error) {
      run.unlock();
      throw error;
    }
    return run;
  }

  /** Keeps other processes from writing to this folder, until `unlock` or the end of this one. @throws UsageError */
  async lock(): Promise<void> {
    try {
      this.#unlock ??= await lock(join(await realpath(this.path), LOCK));
    } catch (error) {
      throw error instanceof LockedError ? new UsageError(`${this.path}: ${error.message}.`) : error;
    }
  }

  unlock(): void {
    this.#unlock?.();
    this.#unlock = undefined;
  }

  /** @throws UsageError where the folder is not that of a run. */
  static open(path: string): RunFolder {
    if (!existsSync(path)) throw new UsageError(`there is no run folder ${path}.`);
    return new RunFolder(path, readSettings(join(path, "config.json")));
  }

  /** @throws WriteError where the line could not be written. */
  record(metric: Metric): Promise<void> {
    return appendLine(this.file("metrics.jsonl"), JSON.stringify(metric));
  }

  metrics(): Metric[] {
    const path = this.file("metrics.jsonl");
    return existsSync(path) ? readMetrics(path, say) : [];
  }

  /** Weights, optimizer and progress in one file, which is replaced in one go. */
  async saveCheckpoint(net: MultimodalNet, optimizer: Optimizer, progress: Progress): Promise<void> {
    await this.replace("checkpoint.safetensors", await encodeCheckpoint(net, optimizer, progress));
  }

  async saveModel(net: MultimodalNet): Promise<void> {
    const weights = await weightsOf(net, { config: JSON.stringify(net.config) });
    await this.replace("model.safetensors", encodeSafetensors(weights));
  }

  /** @throws UsageError where there is none; WeightsError where it is damaged or of another network. */
  loadModel(net: MultimodalNet): void {
    const path = this.file("model.safetensors");
    if (!existsSync(path)) throw new UsageError(`${path} is missing: learning cannot go on without it.`);
    setWeights(net, decodeSafetensors(this.#finite(path), path), path);
  }

  /** Undefined where the run was stopped before its first checkpoint. @throws WeightsError, UsageError */
  loadCheckpoint(net: MultimodalNet, optimizer: Optimizer): Progress | undefined {
    const path = this.file("checkpoint.safetensors");
    if (!existsSync(path)) return undefined;
    const progress = restoreCheckpoint(net, optimizer, this.#finite(path), path, (found) =>
      checkProgress(upgradedProgress(found)),
    );
    return upgradedProgress(progress) as Progress;
  }

  /** The bytes of a file of weights. @throws UsageError where some are NaN or infinite: such a run cannot go on. */
  #finite(path: string): Uint8Array {
    const file = readFile(path);
    for (const [tensor, { data }] of decodeSafetensors(file, path).tensors) {
      const wrong = data.find((x) => !Number.isFinite(x));
      if (wrong === undefined) continue;
      const { command, lr } = this.settings;
      throw new UsageError(
        `${path}: "${tensor}" holds ${wrong}, so this run has gone wrong and nothing can be learned or told from it. ` +
          `Begin it anew in another folder, with --lr under its ${lr}: handgrad ${command} --lr ${Number((lr / 3).toPrecision(2))} --out …`,
      );
    }
    return file;
  }

  replace(name: string, content: Uint8Array | string): Promise<void> {
    return replaceFile(this.file(name), content);
  }
}

/** What is locked in a folder: the run, by `run.lock`. */
const LOCK = "run";
const isOfLock = (name: string): boolean => name === `${LOCK}.lock` || name.startsWith(".handgrad-");

/** Makes a folder of this name, numbered where there is one: each process its own, also where several begin at once. */
function makeFree(stem: string): string {
  mkdirSync(dirname(stem), { recursive: true });
  for (let i = 1; ; i++) {
    const name = i === 1 ? stem : `${stem}-${i}`;
    try {
      mkdirSync(name);
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/** Makes a folder and those above it. One after another, as Node's own way never ends where a system such as /proc refuses. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
