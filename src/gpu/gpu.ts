import { contiguousLayout, contiguousRegion } from "./contiguous.ts";
import { Health } from "./health.ts";
import { measureVariants } from "./measure.ts";
import { type Counters, Memory } from "./memory.ts";
import { Pipelines } from "./pipelines.ts";
import { makePlan, type Parts, type Plan, Scratch, signature } from "./plan.ts";
import { Plans } from "./plans.ts";
import { Profile, timeCommands } from "./profile.ts";
import { Readback } from "./readback.ts";
import { Recording } from "./recording.ts";
import { type HostArray, type Region, Slot } from "./slot.ts";
import { refuseAsync, refusePromise } from "./sync.ts";
import type { Tuning } from "./tuning.ts";
import { awaitCompletion, type Wait } from "./wait.ts";

/** Results up to this size travel to the host with the step that computed them. */
const SMALL = 256;
/** Dispatches in one submit, so that a very long step does not trip a GPU's watchdog. */
const CHUNK = 1024;
/** Steps the host may run ahead of the device. */
const AHEAD = 4;
/** The host's copy of what a step uploads is kept for the next step up to this size. */
const STAGING = 32 << 20;

/** What a step is given beside its function. */
export interface StepOptions {
  /** Whether the variants of its work that are not known yet are measured first. */
  tune?: boolean;
  /** What errors call it. */
  name?: string;
}

export interface Stats {
  /** Since the engine was made. */
  total: Readonly<Counters>;
  /** In the last step alone; `milliseconds` is the host's time for it: recording, planning or replaying, submitting. */
  step: Counters & { milliseconds: number };
  /** Bytes of all GPU buffers that exist now. */
  bytes: number;
}

const zero = (): Counters => ({ dispatches: 0, submits: 0, uploads: 0, buffers: 0, pipelines: 0, bindGroups: 0 });

/** One device, and the steps that run on it: recorded, planned, submitted once, replayed. Knows no mathematics. */
export class Gpu {
  recording: Recording | undefined;
  readonly counters = zero();
  /** Waits for GPU promises; ends with the reason where the engine does. */
  readonly wait: Wait;
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  readonly #health: Health;
  readonly #parts: Parts;
  readonly #readback: Readback;
  readonly #plans: Plans;
  readonly #running: Promise<unknown>[] = [];
  /** Lists of slots that are to lie side by side when the next step begins. */
  readonly #contiguousRequests: (readonly Slot[])[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #lastStep: Stats["step"] = { ...zero(), milliseconds: 0 };
  #steps = 0;
  /** Steps that were asked for and have not been submitted, and what is to be done after them. */
  #queued = 0;
  #staging = new Uint8Array(0);
  #profile: Profile | undefined;

  constructor(
    readonly device: GPUDevice,
    readonly seed: number,
    readonly tuning: Tuning,
    wait: Wait = awaitCompletion,
  ) {
    this.#health = new Health(device, wait);
    this.wait = this.#health.until;
    this.memory = new Memory(device, this.counters, this.#health);
    this.pipelines = new Pipelines(device, this.counters, this.wait);
    this.#parts = { memory: this.memory, pipelines: this.pipelines, scratch: new Scratch(this.memory) };
    this.#plans = new Plans(this.memory, this.#parts.scratch);
    this.#readback = new Readback(this.memory, this.wait);
  }

  /** How many steps have been recorded; seeds of a step depend on it. Set it to resume a run exactly. */
  get steps(): number {
    return this.#steps;
  }
  set steps(n: number) {
    this.#steps = n;
  }

  stats(): Stats {
    return { total: { ...this.counters }, step: { ...this.#lastStep }, bytes: this.memory.bytes };
  }

  destroy(): void {
    this.#health.end("this engine was destroyed; create another one.");
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
      .then(() => this.#step(name, record, slotsOf, tune))
      .finally(() => {
        this.#queued -= 1;
      });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #step<T>(
    name: string,
    record: () => T,
    slotsOf: (result: T, recording: Recording) => Slot[],
    tune: boolean,
  ): Promise<T> {
    this.#health.check(name);
    refuseAsync(name, record);
    if (this.#contiguousRequests.length > 0) await this.#makeAllContiguous();
    const start = performance.now();
    const before = { ...this.counters };
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
    this.#steps += 1;
    const inputs = inputsOf(recording);
    await this.#prepareInputs(inputs);
    let best: ReadonlyMap<string, string> | undefined;
    if (tune) {
      best = await measureVariants(recording, this.#parts, this.wait);
      recording.replaceVariants(best);
    }
    const { plan, uploads, isNew } = await this.#planOf(recording, inputs, results);
    await this.#submit(plan, uploads, results, inputs, isNew);
    recording.submitted();
    const after = this.counters;
    this.#lastStep = { ...zero(), milliseconds: performance.now() - start };
    for (const k of Object.keys(before) as (keyof Counters)[]) this.#lastStep[k] = after[k] - before[k];
    if (best) {
      // What was measured on a device that is lost by now is worth nothing.
      await this.workDone();
      for (const [key, variant] of best) this.tuning.set(key, variant);
    }
    if (this.#running.length >= AHEAD) await this.#running.shift();
    return result;
  }

  #record(): Recording {
    const { limits, features } = this.device;
    return new Recording(limits, features, this.tuning, (this.seed + Math.imul(this.#steps, 0x27d4eb2f)) >>> 0);
  }

  /** Waits for small results still under way, and makes resident what is uploaded for the second time. */
  async #prepareInputs(inputs: ReadonlySet<Slot>): Promise<void> {
    for (const slot of inputs) {
      if (slot.released) throw disposed();
      if (slot.pendingRead) await slot.pendingRead;
      if (slot.host && !slot.resident) {
        if (slot.uploads > 0) this.upload(slot);
        slot.uploads += 1;
      }
    }
    if (this.#health.pending) await this.#health.settled();
    if (!this.memory.anyRefused) return;
    for (const slot of inputs) if (slot.resident) this.memory.granted("engine.step", slot.resident.buffer);
  }

  /** A slot for the host's numbers. They reach the GPU with the first step that reads them. */
  stage(data: HostArray): Slot {
    this.#health.check("engine.tensor");
    const limit = Math.min(this.device.limits.maxStorageBufferBindingSize, this.device.limits.maxBufferSize);
    if (data.byteLength > limit) {
      throw new RangeError(
        `engine.tensor: ${data.byteLength} bytes, but the device binds at most ${limit}. Split the tensor.`,
      );
    }
    const slot = new Slot(data.byteLength);
    slot.host = data;
    return slot;
  }

  /** Gives a host slot a home on the GPU. */
  upload(slot: Slot): Region {
    if (!slot.resident) {
      slot.resident = this.memory.take(slot.bytes);
      if (slot.bytes > 0) this.#writeBuffer(slot.resident, slot.host!);
    }
    return slot.resident;
  }

  #writeBuffer({ buffer, offset }: Region, data: HostArray): void {
    this.#health.watch(
      () => this.device.queue.writeBuffer(buffer, offset, data as GPUAllowSharedBufferSource),
      (error) => this.memory.refuse(buffer, error),
    );
    this.counters.uploads += 1;
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
        this.#trim();
        throw error;
      }
      this.#plans.add(key, made);
      // Others went on meanwhile: what was disposed is refused, and what got another home is planned anew.
      for (const slot of inputs) if (slot.released) throw disposed();
    }
  }

  /** After the GPU refused something: what is kept for reuse is given back. */
  #trim(): void {
    this.#plans.clear();
    this.memory.trim();
    this.#readback.trim();
  }

  /** Encodes a plan's dispatches; those of a very long step are submitted in pieces, all but the last. */
  #encode({ commands }: Plan): GPUCommandEncoder {
    let encoder = this.device.createCommandEncoder();
    for (let from = 0; from < commands.length; from += CHUNK) {
      if (from > 0) {
        this.device.queue.submit([encoder.finish()]);
        this.counters.submits += 1;
        encoder = this.device.createCommandEncoder();
      }
      const pass = encoder.beginComputePass();
      for (const { pipeline, bindGroup, grid } of commands.slice(from, from + CHUNK)) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...grid);
      }
      pass.end();
    }
    return encoder;
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
    this.#profile = profile;
    try {
      await run();
    } finally {
      this.#profile = undefined;
    }
    return profile;
  }

  /** What a step's results need beside its plan: a home for each large one, and a staging buffer for the small ones. */
  async #allocateResults(
    results: readonly Slot[],
  ): Promise<{ regions: (Region | undefined)[]; staging: GPUBuffer | undefined }> {
    const regions = results.map((slot) => (slot.bytes > SMALL ? this.memory.take(slot.bytes) : undefined));
    const small = results.reduce((sum, slot, i) => sum + (regions[i] ? 0 : Math.max(4, slot.bytes)), 0);
    const staging = small > 0 ? this.#readback.take(small) : undefined;
    if (this.#health.pending) await this.#health.settled();
    try {
      for (const region of regions) if (region) this.memory.granted("engine.step", region.buffer);
      if (staging) this.memory.granted("engine.step", staging);
    } catch (error) {
      this.#freeResults(regions, staging);
      this.#trim();
      throw error;
    }
    return { regions, staging };
  }

  #freeResults(regions: readonly (Region | undefined)[], staging: GPUBuffer | undefined): void {
    for (const region of regions) if (region) this.memory.give(region);
    if (staging) this.memory.destroy(staging);
  }

  async #submit(
    plan: Plan,
    uploads: readonly Slot[],
    results: readonly Slot[],
    inputs: ReadonlySet<Slot>,
    isNew: boolean,
  ): Promise<void> {
    const { regions, staging } = await this.#allocateResults(results);
    try {
      if (this.#profile) {
        if (plan.uploadBuffer) this.#uploadAll(plan, plan.uploadBuffer, uploads);
        await timeCommands(this.device, plan.commands, this.#profile, this.wait);
      }
      for (const slot of inputs) if (slot.released) throw disposed();
      let refused: Error | undefined;
      const run = () => {
        if (plan.uploadBuffer && !this.#profile) this.#uploadAll(plan, plan.uploadBuffer, uploads);
        const encoder = this.#profile ? this.device.createCommandEncoder() : this.#encode(plan);
        const small: { slot: Slot; buffer: GPUBuffer; offset: number }[] = [];
        results.forEach((slot, i) => {
          const { buffer, offset } = plan.results[i]!;
          const region = regions[i];
          if (region) encoder.copyBufferToBuffer(buffer, offset, region.buffer, 0, slot.bytes);
          else small.push({ slot, buffer, offset });
        });
        const fetch = staging && this.#readback.encode(encoder, staging, small);
        this.device.queue.submit([encoder.finish()]);
        return { small, fetch };
      };
      // A plan that ran once is not refused: its replay waits for no answer, and what goes wrong all the same ends the engine.
      const { small, fetch } = isNew
        ? this.#health.watch(run, (error) => {
            refused = error;
          })
        : run();
      if (isNew) await this.#health.settled();
      if (refused) throw new Error(`engine.step: ${(refused as Error).message}`);
      this.counters.submits += 1;
      this.counters.dispatches += plan.commands.length;
      results.forEach((slot, i) => {
        slot.resident = regions[i];
      });
      this.#running.push(fetch ? this.#awaitReadback(small, fetch()) : this.workDone().catch(() => {}));
    } catch (error) {
      this.#freeResults(regions, staging);
      throw error;
    }
  }

  /** All numbers that the host gives in a step, by one write. */
  #uploadAll(plan: Plan, uploadBuffer: GPUBuffer, uploads: readonly Slot[]): void {
    if (this.#staging.length < plan.uploadBytes) this.#staging = new Uint8Array(plan.uploadBytes);
    uploads.forEach((slot, i) => {
      const { buffer, byteOffset, byteLength } = slot.host!;
      this.#staging.set(new Uint8Array(buffer, byteOffset, byteLength), plan.uploadOffsets[i]!);
    });
    this.device.queue.writeBuffer(uploadBuffer, 0, this.#staging as Uint8Array<ArrayBuffer>, 0, plan.uploadBytes);
    this.counters.uploads += 1;
    if (this.#staging.length > STAGING) this.#staging = new Uint8Array(0);
  }

  /** Lets small results settle once they are with the host. */
  #awaitReadback(small: readonly { slot: Slot }[], arrived: Promise<ArrayBuffer[]>): Promise<unknown> {
    small.forEach(({ slot }, i) => {
      slot.pendingRead = arrived.then((parts) => {
        slot.host = new Float32Array(parts[i]!);
        slot.pendingRead = undefined;
      });
      slot.pendingRead.catch(() => {});
    });
    return arrived.catch(() => {});
  }

  /** Once all that was submitted has run. */
  workDone(): Promise<undefined> {
    return this.wait(this.device.queue.onSubmittedWorkDone());
  }

  /** The bytes of a slot, once the steps that compute it have run; those that were asked for before are among them. */
  async read(slot: Slot): Promise<ArrayBuffer> {
    if (!slot.pendingRead && (slot.resident || !slot.host)) await this.#turn;
    if (slot.pendingRead) await slot.pendingRead;
    if (slot.released) throw new Error("tensor.data: this tensor was disposed.");
    // A home is newer than the host's copy: an optimizer may have written to it.
    if (slot.resident && slot.bytes > 0) return this.#readResident(slot, slot.resident);
    if (!slot.host) {
      if (slot.bytes === 0) return new ArrayBuffer(0);
      this.#health.check("tensor.data");
      throw new Error("tensor.data: this tensor belongs to a step and did not outlive it. Return it from engine.step.");
    }
    const { buffer, byteOffset, byteLength } = slot.host as HostArray & { buffer: ArrayBuffer };
    return buffer.slice(byteOffset, byteOffset + byteLength);
  }

  async #readResident(slot: Slot, { buffer, offset }: Region): Promise<ArrayBuffer> {
    this.#health.check("tensor.data");
    const staging = this.#readback.take(slot.bytes);
    let refused: Error | undefined;
    const arrived = this.#health.watch(
      () => {
        const encoder = this.device.createCommandEncoder();
        const fetch = this.#readback.encode(encoder, staging, [{ slot, buffer, offset }]);
        this.device.queue.submit([encoder.finish()]);
        return fetch();
      },
      (error) => {
        refused = error;
      },
    );
    arrived.catch(() => {});
    this.counters.submits += 1;
    await this.#health.settled();
    this.memory.granted("tensor.data", buffer);
    if (refused) throw new Error(`tensor.data: ${(refused as Error).message}`);
    return (await arrived)[0]!;
  }

  /** Overwrites a resident slot from the host, after all steps asked for so far. */
  write(slot: Slot, data: HostArray): void {
    if (data.byteLength !== slot.bytes)
      throw new RangeError(`write: ${data.byteLength} bytes for a tensor of ${slot.bytes}.`);
    const numbers = this.#queued === 0 ? data : data.slice();
    this.afterSteps(() => {
      if (!slot.released) this.#writeBuffer(this.upload(slot), numbers);
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

  /** A region of zeros. */
  zeros(bytes: number): Region {
    const region = this.memory.take(bytes);
    this.#health.watch(
      () => this.#copy((encoder) => encoder.clearBuffer(region.buffer)),
      (error) => this.memory.refuse(region.buffer, error),
    );
    return region;
  }

  /**
   * Asks that resident slots lie side by side in one buffer from the next step on; `wholeOf` tells whether they do. Slots move
   * between two steps only, since a step that was recorded knows where they lay. Who asks last wins: slots of an earlier list
   * may lie apart again.
   */
  makeContiguous(slots: readonly Slot[]): void {
    for (const slot of slots) if (slot.host) this.upload(slot);
    this.#contiguousRequests.push(slots);
  }

  async #makeAllContiguous(): Promise<void> {
    for (const slots of this.#contiguousRequests.splice(0)) {
      const { offsets, bytes } = contiguousLayout(slots);
      if (this.#health.pending) await this.#health.settled();
      // What the GPU refused stays where it is: the step that uses it says so.
      const unfit = () => slots.some(({ resident }) => !resident || this.memory.refused(resident.buffer));
      if (unfit() || contiguousRegion(slots, offsets)) continue;
      const whole = this.memory.take(bytes);
      if (this.#health.pending) await this.#health.settled();
      if (unfit() || this.memory.refused(whole.buffer)) {
        // They stay apart, where the optimizer finds them too.
        this.memory.give(whole);
        continue;
      }
      const shared = { whole, users: slots.length };
      const left = slots.map((slot) => slot.resident!);
      this.#health.watch(
        () =>
          this.#copy((encoder) => {
            encoder.clearBuffer(whole.buffer);
            slots.forEach((slot, i) => {
              const { buffer, offset } = left[i]!;
              if (slot.bytes) encoder.copyBufferToBuffer(buffer, offset, whole.buffer, offsets[i]!, slot.bytes);
              slot.resident = { ...this.memory.region(whole.buffer, offsets[i]!, slot.bytes), shared };
              slot.host = undefined;
            });
          }),
        (error) => this.memory.refuse(whole.buffer, error),
      );
      // Later work runs after the copies, so what the slots leave may be used again.
      for (const region of left) this.#leave(region);
    }
  }

  #copy(encode: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.device.createCommandEncoder();
    encode(encoder);
    this.device.queue.submit([encoder.finish()]);
    this.counters.submits += 1;
  }

  /** Gives a slot's memory back. What it held can no longer be read. */
  release(slot: Slot): void {
    if (slot.released) return;
    slot.released = true;
    slot.host = undefined;
    if (slot.resident) this.#leave(slot.resident);
    slot.resident = undefined;
  }

  /** Gives back a region that a slot had, or its share of one. */
  #leave(region: Region): void {
    const { shared } = region;
    if (!shared) this.memory.give(region);
    else {
      region.gone = true;
      shared.users -= 1;
      if (shared.users === 0) this.memory.give(shared.whole);
    }
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

const disposed = () =>
  new Error("engine.step: a tensor used in this step was disposed. Keep it until the step has been awaited.");
