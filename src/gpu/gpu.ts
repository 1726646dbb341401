import { sideBySide, wholeOf } from "./gather.ts";
import { measureWays } from "./measure.ts";
import { type Counters, Memory } from "./memory.ts";
import { Pipelines } from "./pipelines.ts";
import { makePlan, type Plan, Scratch, signature } from "./plan.ts";
import { Profile, timeCommands } from "./profile.ts";
import { Readback } from "./readback.ts";
import { Recording } from "./recording.ts";
import { type HostArray, type Region, Slot } from "./slot.ts";
import type { Tuning } from "./tuning.ts";
import { awaitNews, type Wait } from "./wait.ts";

/** Results up to this size travel to the host with the step that computed them. */
const SMALL = 256;
/** Plans kept for replay; the one unused for longest is dropped first. */
const PLANS = 64;
/** Dispatches in one submit, so that a very long step does not trip a GPU's watchdog. */
const CHUNK = 1024;
/** Steps the host may run ahead of the device. */
const AHEAD = 4;

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
  readonly memory: Memory;
  readonly pipelines: Pipelines;
  readonly #scratch: Scratch;
  readonly #readback: Readback;
  readonly #plans = new Map<string, Plan>();
  readonly #running: Promise<unknown>[] = [];
  /** Lists of slots that are to lie side by side when the next step begins. */
  readonly #gatherings: (readonly Slot[])[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #lastStep: Stats["step"] = { ...zero(), milliseconds: 0 };
  #steps = 0;
  #gone: string | undefined;
  #profile: Profile | undefined;

  constructor(
    readonly device: GPUDevice,
    readonly seed: number,
    readonly tuning: Tuning,
    readonly wait: Wait = awaitNews,
  ) {
    this.memory = new Memory(device, this.counters);
    this.pipelines = new Pipelines(device, this.counters, wait);
    this.#scratch = new Scratch(this.memory);
    this.#readback = new Readback(this.memory, wait);
    void device.lost.then(({ reason, message }) => {
      this.#gone ??= `the GPU device was lost (${reason}): ${message} Create a new engine and load the last checkpoint.`;
    });
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
    this.#gone ??= "this engine was destroyed; create another one.";
    this.device.destroy();
  }

  /**
   * Runs `record` with a recording open, then plans and submits what it recorded. `slotsOf` names the results in what
   * `record` returned; those outlive the step. Steps asked for at once run one after another. With `tune` the ways of its
   * work that are not known yet are measured first.
   */
  step<T>(record: () => T, slotsOf: (result: T) => Slot[], { tune = false } = {}): Promise<T> {
    if (this.recording) throw new Error("engine.step: a step is open already; steps do not nest.");
    const turn = this.#turn.then(() => this.#step(record, slotsOf, tune));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #step<T>(record: () => T, slotsOf: (result: T) => Slot[], tune: boolean): Promise<T> {
    if (this.#gone) throw new Error(`engine.step: ${this.#gone}`);
    if (this.#gatherings.length > 0) await this.#gatherAll();
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
    if (result instanceof Promise) {
      throw new TypeError("engine.step: the function must record synchronously; await before or after the step.");
    }
    this.#steps += 1;
    await this.#settleInputs(recording);
    if (tune) {
      const parts = { memory: this.memory, pipelines: this.pipelines, scratch: this.#scratch };
      recording.replaceWays(await this.#guarded(() => measureWays(recording, parts, this.wait)));
    }
    const results = [...new Set(slotsOf(result))].filter((s) => !s.home && !s.host && !s.arriving);
    const { key, uploads } = signature(recording, results);
    const plan = this.#plans.get(key) ?? (await this.#plan(recording, uploads, results));
    this.#plans.delete(key);
    this.#plans.set(key, plan);
    this.#evict();
    await this.#submit(plan, uploads, results);
    recording.submitted();
    const after = this.counters;
    this.#lastStep = { ...zero(), milliseconds: performance.now() - start };
    for (const k of Object.keys(before) as (keyof Counters)[]) this.#lastStep[k] = after[k] - before[k];
    if (this.#running.length >= AHEAD) await this.#running.shift();
    return result;
  }

  #record(): Recording {
    const { limits, features } = this.device;
    return new Recording(limits, features, this.tuning, (this.seed + Math.imul(this.#steps, 0x27d4eb2f)) >>> 0);
  }

  /** Waits for small results still under way, and gives a home to what is uploaded for the second time. */
  async #settleInputs(recording: Recording): Promise<void> {
    const inputs = new Set<Slot>();
    for (const { reads, writes } of recording.dispatches) {
      for (const slot of reads) inputs.add(slot);
      for (const slot of writes) inputs.add(slot);
    }
    for (const slot of inputs) {
      if (slot.released) {
        throw new Error(
          "engine.step: a tensor used in this step was disposed. Keep it until the step has been awaited.",
        );
      }
      if (slot.arriving) await slot.arriving;
      if (slot.host && !slot.home) {
        if (slot.uploads > 0) this.settle(slot);
        slot.uploads += 1;
      }
    }
  }

  /** A slot for the host's numbers. They reach the GPU with the first step that reads them. */
  hold(data: HostArray): Slot {
    if (this.#gone) throw new Error(`engine: ${this.#gone}`);
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
  settle(slot: Slot): Region {
    if (!slot.home) {
      slot.home = this.memory.take(slot.bytes);
      if (slot.bytes > 0) this.device.queue.writeBuffer(slot.home.buffer, 0, slot.host! as GPUAllowSharedBufferSource);
      this.counters.uploads += 1;
    }
    return slot.home;
  }

  #plan(recording: Recording, uploads: Slot[], results: Slot[]): Promise<Plan> {
    const parts = { memory: this.memory, pipelines: this.pipelines, scratch: this.#scratch };
    return this.#guarded(() => makePlan(recording, uploads, results, parts));
  }

  /** Runs what creates things on the GPU, and throws what the GPU says of them. */
  async #guarded<T>(create: () => Promise<T>): Promise<T> {
    this.device.pushErrorScope("validation");
    this.device.pushErrorScope("out-of-memory");
    try {
      return await create();
    } finally {
      const [memory, validation] = await this.wait(
        Promise.all([this.device.popErrorScope(), this.device.popErrorScope()]),
      );
      const error = memory ?? validation;
      // biome-ignore lint/correctness/noUnsafeFinally: the GPU's own words say more than what followed from them.
      if (error) throw new Error(`engine.step: the GPU refused this step: ${error.message}`);
    }
  }

  #evict(): void {
    for (const [key, plan] of this.#plans) {
      if (this.#plans.size <= PLANS) return;
      this.#plans.delete(key);
      if (plan.uploadBuffer) this.memory.destroy(plan.uploadBuffer);
      if (plan.sizesBuffer) this.memory.destroy(plan.sizesBuffer);
    }
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
    const profile = new Profile(this.device.features.has("timestamp-query") ? "timestamps" : "waiting");
    this.#profile = profile;
    try {
      await run();
    } finally {
      this.#profile = undefined;
    }
    return profile;
  }

  async #submit(plan: Plan, uploads: Slot[], results: Slot[]): Promise<void> {
    const { queue } = this.device;
    if (plan.uploadBuffer) {
      uploads.forEach((slot, i) => {
        const { buffer, byteOffset, byteLength } = slot.host!;
        plan.staging.set(new Uint8Array(buffer, byteOffset, byteLength), plan.uploadOffsets[i]!);
      });
      queue.writeBuffer(plan.uploadBuffer, 0, plan.staging as Uint8Array<ArrayBuffer>);
      this.counters.uploads += 1;
    }
    if (this.#profile) await timeCommands(this.device, plan.commands, this.#profile, this.wait);
    const encoder = this.#profile ? this.device.createCommandEncoder() : this.#encode(plan);
    this.counters.dispatches += plan.commands.length;

    const small: { slot: Slot; buffer: GPUBuffer; offset: number }[] = [];
    results.forEach((slot, i) => {
      const { buffer, offset } = plan.results[i]!;
      if (slot.bytes <= SMALL) small.push({ slot, buffer, offset });
      else {
        slot.home = this.memory.take(slot.bytes);
        encoder.copyBufferToBuffer(buffer, offset, slot.home.buffer, 0, slot.bytes);
      }
    });
    const fetch = small.length > 0 ? this.#readback.encode(encoder, small) : undefined;
    queue.submit([encoder.finish()]);
    this.counters.submits += 1;
    if (fetch) {
      const arrived = fetch();
      small.forEach(({ slot }, i) => {
        slot.arriving = arrived.then((parts) => {
          slot.host = new Float32Array(parts[i]!);
          slot.arriving = undefined;
        });
        slot.arriving.catch(() => {});
      });
      this.#running.push(arrived.catch(() => {}));
    } else this.#running.push(this.workDone());
  }

  /** Once all that was submitted has run. */
  workDone(): Promise<undefined> {
    return this.wait(this.device.queue.onSubmittedWorkDone());
  }

  /** The bytes of a slot, once the steps that compute it have run. */
  async read(slot: Slot): Promise<ArrayBuffer> {
    if (this.#gone && !slot.host) throw new Error(`tensor.data: ${this.#gone}`);
    if (slot.arriving) await slot.arriving;
    if (slot.released) throw new Error("tensor.data: this tensor was disposed.");
    // A home is newer than the host's copy: an optimiser may have written to it.
    if (slot.home && slot.bytes > 0) {
      const encoder = this.device.createCommandEncoder();
      const fetch = this.#readback.encode(encoder, [{ slot, buffer: slot.home.buffer, offset: slot.home.offset }]);
      this.device.queue.submit([encoder.finish()]);
      this.counters.submits += 1;
      return (await fetch())[0]!;
    }
    if (!slot.host) {
      if (slot.bytes === 0) return new ArrayBuffer(0);
      throw new Error("tensor.data: this tensor belongs to a step and did not outlive it. Return it from engine.step.");
    }
    const { buffer, byteOffset, byteLength } = slot.host as HostArray & { buffer: ArrayBuffer };
    return buffer.slice(byteOffset, byteOffset + byteLength);
  }

  /** Overwrites a resident slot from the host, after all steps submitted so far. */
  write(slot: Slot, data: HostArray): void {
    if (data.byteLength !== slot.bytes)
      throw new RangeError(`write: ${data.byteLength} bytes for a tensor of ${slot.bytes}.`);
    const home = this.settle(slot);
    this.device.queue.writeBuffer(home.buffer, home.offset, data as GPUAllowSharedBufferSource);
    this.counters.uploads += 1;
  }

  /** A region of zeros. */
  zeros(bytes: number): Region {
    const region = this.memory.take(bytes);
    this.#copy((encoder) => encoder.clearBuffer(region.buffer));
    return region;
  }

  /**
   * Asks that resident slots lie side by side in one buffer from the next step on; `wholeOf` tells whether they do. Slots move
   * between two steps only, since a step that was recorded knows where they lay. Who asks last wins: slots of an earlier list
   * may lie apart again.
   */
  gather(slots: readonly Slot[]): void {
    for (const slot of slots) if (slot.host) this.settle(slot);
    this.#gatherings.push(slots);
  }

  async #gatherAll(): Promise<void> {
    for (const slots of this.#gatherings.splice(0)) {
      const { offsets, bytes } = sideBySide(slots);
      const gone = () => slots.some((slot) => !slot.home);
      if (gone() || wholeOf(slots, offsets)) continue;
      const whole = await this.#guarded(async () => this.memory.take(bytes));
      if (gone()) {
        this.memory.give(whole);
        continue;
      }
      const shared = { whole, users: slots.length };
      this.#copy((encoder) => {
        encoder.clearBuffer(whole.buffer);
        slots.forEach((slot, i) => {
          const from = slot.home!;
          if (slot.bytes) encoder.copyBufferToBuffer(from.buffer, from.offset, whole.buffer, offsets[i]!, slot.bytes);
          slot.home = { ...this.memory.region(whole.buffer, offsets[i]!, slot.bytes), shared };
          slot.host = undefined;
          // Later work runs after the copies, so what the slots leave may be used again.
          this.#leave(from);
        });
      });
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
    if (slot.home) this.#leave(slot.home);
    slot.home = undefined;
  }

  /** Gives back a region that a slot had, or its share of one. */
  #leave(home: Region): void {
    const { shared } = home;
    if (!shared) this.memory.give(home);
    else {
      shared.users -= 1;
      if (shared.users === 0) this.memory.give(shared.whole);
    }
  }
}
