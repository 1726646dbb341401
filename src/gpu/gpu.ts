import { type EngineLost, Health } from "./health.ts";
import { measureVariants } from "./measure.ts";
import { type Counters, Memory } from "./memory.ts";
import { Pipelines } from "./pipelines.ts";
import { makePlan, type Parts, type Plan, Scratch, signature } from "./plan.ts";
import { Plans } from "./plans.ts";
import { Profile } from "./profile.ts";
import { Readback } from "./readback.ts";
import { Recording } from "./recording.ts";
import { Residency } from "./residency.ts";
import type { HostArray, Slot } from "./slot.ts";
import { disposed, Submission } from "./submission.ts";
import { refuseAsync, refusePromise } from "./sync.ts";
import type { Tuning } from "./tuning.ts";
import { awaitCompletion, type Wait } from "./wait.ts";

/** Steps the host may run ahead of the device. */
const AHEAD = 4;

/** What a step is given beside its function. */
export interface StepOptions {
  /** Whether the variants of its work that are not known yet are measured first. */
  tune?: boolean;
  /** What errors call it. */
  name?: string;
}

/** What an engine has done and holds: `engine.stats()`. */
export interface Stats {
  /** Since the engine was made. */
  total: Readonly<Counters>;
  /** In the last step alone. */
  step: Counters & {
    /** The host's time for it: recording, planning or replaying, submitting. */
    milliseconds: number;
  };
  /** Bytes of all GPU buffers that exist now. */
  bytes: number;
}

const zero = (): Counters => ({ dispatches: 0, submits: 0, uploads: 0, buffers: 0, pipelines: 0, bindGroups: 0 });

/** One device, and the steps that run on it: recorded, planned, submitted once, replayed. Knows no mathematics. */
export class Gpu {
  /** The recording of the step that is open. */
  recording: Recording | undefined;
  /** How many steps have been recorded; the random numbers of a step follow from it. */
  stepCount = 0;
  readonly memory: Memory;
  readonly residency: Residency;
  readonly #counters = zero();
  readonly #health: Health;
  readonly #parts: Parts;
  readonly #plans: Plans;
  readonly #readback: Readback;
  readonly #submission: Submission;
  readonly #running: Promise<unknown>[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  /** Steps that were asked for and have not been submitted, and what is to be done after them. */
  #queued = 0;
  #lastStep: Stats["step"] = { ...zero(), milliseconds: 0 };

  constructor(
    readonly device: GPUDevice,
    readonly seed: number,
    readonly tuning: Tuning,
    wait: Wait = awaitCompletion,
  ) {
    this.#health = new Health(device, wait);
    this.memory = new Memory(device, this.#counters, this.#health);
    this.residency = new Residency(this.memory);
    const pipelines = new Pipelines(device, this.#counters, this.#health);
    this.#parts = { memory: this.memory, pipelines, scratch: new Scratch(this.memory) };
    this.#plans = new Plans(this.memory, this.#parts.scratch);
    this.#readback = new Readback(this.memory);
    this.#submission = new Submission(this.memory, this.#readback);
  }

  /** Settles once nothing can run any more, with the reason. */
  get ended(): Promise<EngineLost> {
    return this.#health.end;
  }

  stats(): Stats {
    return { total: { ...this.#counters }, step: { ...this.#lastStep }, bytes: this.memory.bytes };
  }

  destroy(): void {
    this.#health.stop("destroyed", "this engine was destroyed; create another one.");
    this.device.destroy();
  }

  /**
   * Runs `record` with a recording open, then plans and submits what it recorded. `slotsOf` names the results in what
   * `record` returned; those outlive the step. Steps asked for at once run one after another.
   */
  step<T>(
    record: () => T,
    slotsOf: (result: T, recording: Recording) => Slot[],
    { tune = false, name = "engine.step" }: StepOptions = {},
  ): Promise<T> {
    if (this.recording) throw new Error(`${name}: a step is open already; steps do not nest.`);
    this.#queued += 1;
    const turn = this.#turn
      .then(() => this.#step(record, slotsOf, { tune, name }))
      .finally(() => {
        this.#queued -= 1;
      });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #step<T>(
    record: () => T,
    slotsOf: (result: T, recording: Recording) => Slot[],
    { tune, name }: Required<StepOptions>,
  ): Promise<T> {
    this.#health.check(name);
    refuseAsync(name, record);
    if (this.residency.mustMove) await this.residency.moveAll();
    const start = performance.now();
    const before = { ...this.#counters };
    const recording = this.#record();
    this.recording = recording;
    let result: T;
    try {
      result = record();
    } finally {
      this.recording = undefined;
    }
    refusePromise(name, result);
    const results = [...new Set(slotsOf(result, recording))].filter((s) => !s.resident && !s.host && !s.pendingRead);
    this.stepCount += 1;
    const inputs = inputsOf(recording);
    await this.#prepareInputs(inputs);
    let best: ReadonlyMap<string, string> | undefined;
    if (tune) {
      best = await measureVariants(recording, this.#parts, this.#health.until);
      recording.replaceVariants(best);
    }
    const planned = await this.#planOf(recording, inputs, results);
    const [completion] = await this.#submission.submit({ ...planned, results, inputs });
    this.#running.push(completion);
    recording.submitted();
    const after = this.#counters;
    this.#lastStep = { ...zero(), milliseconds: performance.now() - start };
    for (const k of Object.keys(before) as (keyof Counters)[]) this.#lastStep[k] = after[k] - before[k];
    if (best) {
      // What was measured on a device that is lost by now is worth nothing.
      await this.#workDone();
      for (const [key, variant] of best) this.tuning.set(key, variant);
    }
    if (this.#running.length >= AHEAD) await this.#running.shift();
    return result;
  }

  #record(): Recording {
    const { limits, features } = this.device;
    return new Recording(limits, features, this.tuning, (this.seed + Math.imul(this.stepCount, 0x27d4eb2f)) >>> 0);
  }

  /** Waits for small results still under way, and makes resident what is uploaded for the second time. */
  async #prepareInputs(inputs: ReadonlySet<Slot>): Promise<void> {
    for (const slot of inputs) {
      if (slot.released) throw disposed();
      if (slot.pendingRead) await slot.pendingRead;
      if (slot.host && !slot.resident) {
        if (slot.uploads > 0) this.residency.upload(slot);
        slot.uploads += 1;
      }
    }
    if (this.#health.pending) await this.#health.settled();
    if (!this.memory.anyRefused) return;
    for (const slot of inputs) if (slot.resident) this.memory.granted("engine.step", slot.resident.buffer);
  }

  /** The plan of a recording, found again or made. */
  async #planOf(
    recording: Recording,
    inputs: ReadonlySet<Slot>,
    results: readonly Slot[],
  ): Promise<{ plan: Plan; uploads: Slot[]; isNew: boolean }> {
    let isNew = false;
    for (;;) {
      const { key, uploads } = signature(recording, results);
      const plan = this.#plans.find(key);
      if (plan) return { plan, uploads, isNew };
      isNew = true;
      let made: Plan;
      try {
        made = await makePlan(recording, uploads, results, this.#parts);
      } catch (error) {
        this.memory.trim();
        throw error;
      }
      this.#plans.add(key, made);
      // Others went on meanwhile: what was disposed is refused, and what lies elsewhere by now is planned anew.
      for (const slot of inputs) if (slot.released) throw disposed();
    }
  }

  /**
   * Times every dispatch of the steps that `run` runs: by timestamps where the device has them, else by waiting for each.
   * Such steps take longer than others, but what they compute is the same.
   */
  async profile(run: () => Promise<unknown>): Promise<Profile> {
    this.#health.check("engine.profile");
    if (typeof run !== "function")
      throw new TypeError(`engine.profile: expected a function that runs steps, found ${run}.`);
    const profile = new Profile(this.device.features.has("timestamp-query") ? "timestamps" : "waiting");
    this.#submission.profile = profile;
    try {
      await run();
    } finally {
      this.#submission.profile = undefined;
    }
    return profile;
  }

  /** Once all that was asked for has run. */
  async synchronize(): Promise<void> {
    this.#health.check("engine.synchronize");
    await this.#turn;
    await this.#workDone();
  }

  #workDone(): Promise<undefined> {
    return this.#health.until(this.device.queue.onSubmittedWorkDone());
  }

  /** The bytes of a slot, once the steps that compute it have run; those that were asked for before are among them. */
  async read(slot: Slot): Promise<ArrayBuffer> {
    if (!slot.pendingRead && (slot.resident || !slot.host)) await this.#turn;
    if (slot.pendingRead) await slot.pendingRead;
    if (slot.released) throw new Error("tensor.data: this tensor was disposed.");
    // What is resident is newer than the host's copy: an optimizer may have written to it.
    if (slot.resident && slot.bytes > 0) return this.#readback.read(slot, slot.resident);
    if (!slot.host) {
      if (slot.bytes === 0) return new ArrayBuffer(0);
      this.#health.check("tensor.data");
      throw new Error("tensor.data: this tensor belongs to a step and did not outlive it. Return it from engine.step.");
    }
    const { buffer, byteOffset, byteLength } = slot.host as HostArray & { buffer: ArrayBuffer };
    return buffer.slice(byteOffset, byteOffset + byteLength);
  }

  /** Overwrites a resident slot from the host, after all steps asked for so far. */
  write(slot: Slot, data: HostArray): void {
    if (data.byteLength !== slot.bytes)
      throw new RangeError(`write: ${data.byteLength} bytes for a tensor of ${slot.bytes}.`);
    const numbers = this.#queued === 0 ? data : data.slice();
    this.afterSteps(() => {
      if (!slot.released) this.residency.overwrite(slot, numbers);
    });
  }

  /** Does what the host has to do once all steps asked for so far have ended: now where there are none. */
  afterSteps(task: () => void): void {
    if (this.#queued === 0) {
      task();
      return;
    }
    // Counted as a step is, so that what is asked for later never overtakes it.
    this.#queued += 1;
    this.#turn = this.#turn.then(task).finally(() => {
      this.#queued -= 1;
    });
  }
}

/** The slots that a recording reads or writes. */
function inputsOf({ dispatches }: Recording): ReadonlySet<Slot> {
  const inputs = new Set<Slot>();
  for (const { reads, writes } of dispatches) {
    for (const slot of reads) inputs.add(slot);
    for (const slot of writes) inputs.add(slot);
  }
  return inputs;
}
