import type { Memory } from "./memory.ts";
import type { Plan } from "./plan.ts";
import { type Profile, timeCommands } from "./profile.ts";
import type { Readback } from "./readback.ts";
import type { Region, Slot } from "./slot.ts";

/** Results up to this size travel to the host with the step that computed them. */
const SMALL = 256;
/** Dispatches in one submit, so that a very long step does not trip a GPU's watchdog. */
const CHUNK = 1024;
/** The host's copy of what a step uploads is kept for the next step up to this size. */
const STAGING = 32 << 20;

/** A plan, and the slots of the recording that it runs for. */
export interface PlannedStep {
  readonly plan: Plan;
  /** What is uploaded, in the plan's order. */
  readonly uploads: readonly Slot[];
  /** What outlives the step, in the plan's order. */
  readonly results: readonly Slot[];
  /** All that it reads or writes. */
  readonly inputs: ReadonlySet<Slot>;
  /** Whether the plan never ran before. */
  readonly isNew: boolean;
}

/** What a step's results need beside its plan: a region for each large one, a staging buffer for the small ones. */
interface ResultMemory {
  readonly regions: readonly (Region | undefined)[];
  readonly staging: GPUBuffer | undefined;
}

/** Runs plans: one upload of all that the host gives, one submit of all dispatches, and the copies of the results. */
export class Submission {
  /** Where the times of dispatches go while `engine.profile` runs. */
  profile: Profile | undefined;
  #staging = new Uint8Array(0);

  constructor(
    readonly memory: Memory,
    readonly readback: Readback,
  ) {}

  /**
   * @returns in an array (a promise alone would be awaited), what settles once the step's small results are with the host, or
   * all its work is done.
   */
  async submit(step: PlannedStep): Promise<[completion: Promise<unknown>]> {
    const { device, health, counters } = this.memory;
    const { plan, uploads, results, inputs, isNew } = step;
    const memory = await this.#allocateResults(results);
    try {
      if (this.profile) {
        if (plan.uploadBuffer) this.#uploadAll(plan, plan.uploadBuffer, uploads);
        await timeCommands(device, plan.commands, this.profile, health.until);
      }
      for (const slot of inputs) if (slot.released) throw disposed();
      let refused: Error | undefined;
      const run = () => this.#run(step, memory);
      // A plan that ran once is not refused: its replay waits for no answer, and what goes wrong all the same ends the engine.
      const { small, fetch } = isNew
        ? health.watch(run, (error) => {
            refused = error;
          })
        : run();
      if (isNew) await health.settled();
      if (refused) throw new Error(`engine.step: ${(refused as Error).message}`);
      counters.submits += 1;
      counters.dispatches += plan.commands.length;
      results.forEach((slot, i) => {
        slot.resident = memory.regions[i];
      });
      if (fetch) return [this.readback.deliver(small, fetch())];
      return [health.until(device.queue.onSubmittedWorkDone()).catch(() => {})];
    } catch (error) {
      this.#freeResults(memory);
      throw error;
    }
  }

  /** Uploads, encodes and submits. `fetch` begins to read the small results, where there are any. */
  #run({ plan, uploads, results }: PlannedStep, { regions, staging }: ResultMemory) {
    const { device } = this.memory;
    if (plan.uploadBuffer && !this.profile) this.#uploadAll(plan, plan.uploadBuffer, uploads);
    const encoder = this.profile ? device.createCommandEncoder() : this.#encode(plan);
    const small: { slot: Slot; buffer: GPUBuffer; offset: number }[] = [];
    results.forEach((slot, i) => {
      const { buffer, offset } = plan.results[i]!;
      const region = regions[i];
      if (region) encoder.copyBufferToBuffer(buffer, offset, region.buffer, 0, slot.bytes);
      else small.push({ slot, buffer, offset });
    });
    const fetch = staging && this.readback.encode(encoder, staging, small);
    device.queue.submit([encoder.finish()]);
    return { small, fetch };
  }

  /** Encodes a plan's dispatches; those of a very long step are submitted in pieces, all but the last. */
  #encode({ commands }: Plan): GPUCommandEncoder {
    const { device, counters } = this.memory;
    let encoder = device.createCommandEncoder();
    for (let from = 0; from < commands.length; from += CHUNK) {
      if (from > 0) {
        device.queue.submit([encoder.finish()]);
        counters.submits += 1;
        encoder = device.createCommandEncoder();
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

  /** All numbers that the host gives in a step, by one write. */
  #uploadAll(plan: Plan, uploadBuffer: GPUBuffer, uploads: readonly Slot[]): void {
    const { device, counters } = this.memory;
    if (this.#staging.length < plan.uploadBytes) this.#staging = new Uint8Array(plan.uploadBytes);
    uploads.forEach((slot, i) => {
      const { buffer, byteOffset, byteLength } = slot.host!;
      this.#staging.set(new Uint8Array(buffer, byteOffset, byteLength), plan.uploadOffsets[i]!);
    });
    device.queue.writeBuffer(uploadBuffer, 0, this.#staging as Uint8Array<ArrayBuffer>, 0, plan.uploadBytes);
    counters.uploads += 1;
    if (this.#staging.length > STAGING) this.#staging = new Uint8Array(0);
  }

  async #allocateResults(results: readonly Slot[]): Promise<ResultMemory> {
    const { memory } = this;
    const regions = results.map((slot) => (slot.bytes > SMALL ? memory.take(slot.bytes) : undefined));
    const small = results.reduce((sum, slot, i) => sum + (regions[i] ? 0 : Math.max(4, slot.bytes)), 0);
    const staging = small > 0 ? this.readback.take(small) : undefined;
    if (memory.health.pending) await memory.health.settled();
    try {
      for (const region of regions) if (region) memory.granted("engine.step", region.buffer);
      if (staging) memory.granted("engine.step", staging);
    } catch (error) {
      this.#freeResults({ regions, staging });
      memory.trim();
      throw error;
    }
    return { regions, staging };
  }

  #freeResults({ regions, staging }: ResultMemory): void {
    for (const region of regions) if (region) this.memory.give(region);
    if (staging) this.memory.destroy(staging);
  }
}

/** The error of a step whose input is gone. */
export const disposed = () =>
  new Error("engine.step: a tensor used in this step was disposed. Keep it until the step has been awaited.");
