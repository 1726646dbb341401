import { describe } from "../check.ts";
import { append } from "../numbers.ts";
import { checkDispatch, type Dispatch } from "./dispatch.ts";
import { type HostArray, Slot } from "./slot.ts";
import type { DeviceKind, Tuning } from "./tuning.ts";

/** A temporary that is to be computed right inside another one, `offset` bytes from its start. */
export interface Alias {
  readonly into: Slot;
  readonly offset: number;
}

/** One piece of work that can be done in several variants, which differ in speed and in rounding alone. */
export interface VariantChoice {
  /** The family of kernels and the class of sizes: what was measured once holds for all pieces of one key. */
  readonly key: string;
  readonly variants: Readonly<Record<string, (r: Recording) => void>>;
  readonly variant: string;
  /** Where its dispatches lie in the recording. */
  readonly from: number;
  readonly to: number;
}

/**
 * What a step does, in order, before anything of it reaches the GPU. An op of your own (`customOp`) gets it: `dispatch` a
 * kernel, `upload` numbers that change from step to step, take a `seed`.
 */
export class Recording {
  /** @internal */
  readonly dispatches: Dispatch[] = [];
  /** @internal */
  readonly choices: VariantChoice[] = [];
  /** @internal */
  readonly aliases = new Map<Slot, Alias>();
  /** @internal What of before this step it changes in place besides the parameters that an optimizer learns: running averages. */
  readonly changed = new Set<Slot>();
  /** @internal The parameters that an optimizer changed in this step, each with the number of ops recorded before it last did. */
  readonly learned = new Map<Slot, number>();
  /** @internal Ops recorded so far whose gradients may be asked for. */
  ops = 0;
  readonly #temporaries = new Set<Slot>();
  readonly #onSubmit: (() => void)[] = [];
  readonly #seed: number;
  #seeds = 0;

  /** @internal */
  constructor(
    /** The limits of the device. */
    readonly limits: GPUSupportedLimits,
    /** The features of the device. */
    readonly features: GPUSupportedFeatures,
    /** @internal */
    readonly tuning: Tuning,
    seed: number,
    /** @internal The recording whose work is recorded again here by another variant. */
    readonly within?: Recording,
  ) {
    this.#seed = seed;
  }

  /**
   * A slot that this step computes; `allocate` gives it a shape.
   *
   * @param bytes its size.
   * @throws RangeError where the device binds no tensor of this size, or it is no multiple of 4, a number's size.
   */
  temporary(bytes: number): Slot {
    if (!(bytes >= 0 && bytes % 4 === 0))
      throw new RangeError(`temporary: its size is ${describe(bytes)}, expected bytes, 4 for each number.`);
    const limit = Math.min(this.limits.maxStorageBufferBindingSize, this.limits.maxBufferSize);
    if (bytes > limit) {
      throw new RangeError(
        `this step needs a tensor of ${bytes} bytes, but the device binds at most ${limit}. Use a smaller batch or split the tensor.`,
      );
    }
    const slot = new Slot(bytes);
    this.#temporaries.add(slot);
    return slot;
  }

  /** @internal Whether `slot` is a temporary of this very step. */
  computes(slot: Slot): boolean {
    return this.#temporaries.has(slot) || (this.within?.computes(slot) ?? false);
  }

  /**
   * @internal
   * Runs `commit` once the step was submitted, and never where it was not: what an op changes of its own while it records
   * (an optimizer's count of steps) is set there, so that a step that failed leaves no trace.
   */
  onSubmit(commit: () => void): void {
    this.#onSubmit.push(commit);
  }

  /** @internal The step was submitted. */
  submitted(): void {
    for (const commit of this.#onSubmit) commit();
  }

  /**
   * Numbers that this step uploads: whatever changes from step to step.
   *
   * @param data the numbers, as a typed array.
   * @returns a slot to bind.
   * @throws TypeError where the array is of another type: its bits would be taken for such numbers.
   */
  upload(data: HostArray): Slot {
    if (!(data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint32Array)) {
      const found = ArrayBuffer.isView(data) ? `a ${(data as Uint8Array).constructor.name}` : describe(data);
      throw new TypeError(`upload: data is ${found}, expected a Float32Array, an Int32Array or a Uint32Array.`);
    }
    const slot = new Slot(data.byteLength);
    slot.host = data;
    return slot;
  }

  /** @returns a seed of 32 bits, the same for the same engine seed, step and place in the step; upload it. */
  seed(): number {
    this.#seeds += 1;
    return (Math.imul(this.#seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(this.#seeds, 0xc2b2ae35)) >>> 0;
  }

  /**
   * Appends a dispatch. One of no workgroups is left out.
   *
   * @param dispatch the kernel, what it reads and writes, and its grid.
   * @throws TypeError where a part of it is none, Error where it reads what it writes, or what an earlier step computed and did
   * not return.
   */
  dispatch(dispatch: Dispatch): void {
    checkDispatch(dispatch);
    const { kernel, reads, writes, grid } = dispatch;
    for (const slot of reads) {
      if (slot.resident || slot.host || slot.pendingRead || this.#temporaries.has(slot) || this.within?.computes(slot))
        continue;
      throw new Error(`${kernel.label}: it reads what an earlier step computed and did not return.`);
    }
    if (this.aliases.size > 0) {
      const root = (slot: Slot) => this.aliases.get(slot)?.into ?? slot;
      const read = reads.map(root);
      if (writes.some((slot) => read.includes(root(slot))))
        throw new Error(`${kernel.label}: it reads and writes one buffer at once. Give it a copy of what it reads.`);
    }
    if (grid[0] * grid[1] * grid[2] > 0) this.dispatches.push(dispatch);
  }

  /**
   * @internal
   * Records a piece of work by the variant that `tuning` knows to be best for its `family` and class of `sizes`, else in the
   * variant that `defaults` names for this kind of device. All variants must write the same slots.
   */
  choose(
    family: string,
    sizes: string,
    variants: Readonly<Record<string, (r: Recording) => void>>,
    defaults: Readonly<Record<DeviceKind, string>>,
  ): void {
    const key = `${family} ${sizes}`;
    const known = this.tuning.get(family, key);
    const variant = known !== undefined && Object.hasOwn(variants, known) ? known : defaults[this.tuning.kind];
    const from = this.dispatches.length;
    variants[variant]!(this);
    this.choices.push({ key, variants, variant, from, to: this.dispatches.length });
  }

  /** @internal Puts other variants in the place of those that were recorded, by key. */
  replaceVariants(best: ReadonlyMap<string, string>): void {
    for (const choice of [...this.choices].reverse()) {
      const variant = best.get(choice.key);
      if (variant === undefined || variant === choice.variant) continue;
      const other = new Recording(this.limits, this.features, this.tuning, this.#seed, this);
      choice.variants[variant]!(other);
      const after = this.dispatches.splice(choice.from);
      append(this.dispatches, other.dispatches);
      append(this.dispatches, after.slice(choice.to - choice.from));
    }
  }

  /**
   * @internal
   * Has results lie side by side: part i is computed right inside `into`, `offsets[i]` bytes from its start, where that can
   * be, and else `copy(i)` is to record its way there. It cannot be where a part is no temporary, has its place already or
   * stands in the list twice, or where a kernel would then read and write one buffer at once.
   */
  collect(
    into: Slot,
    parts: readonly (Slot | undefined)[],
    offsets: readonly number[],
    copy: (i: number) => void,
  ): void {
    const uses = new Map<Slot, number>();
    for (const part of parts) if (part) uses.set(part, (uses.get(part) ?? 0) + 1);
    parts.forEach((part, i) => {
      if (part && !(uses.get(part) === 1 && this.#aliasInto(part, into, offsets[i]!))) copy(i);
    });
  }

  #aliasInto(slot: Slot, into: Slot, offset: number): boolean {
    if (slot.host || slot.resident || this.aliases.has(slot)) return false;
    const beside = (s: Slot) => s === slot || s === into || this.aliases.get(s)?.into === into;
    for (const { reads, writes } of this.dispatches) {
      if (reads.some(beside) && writes.some(beside)) return false;
    }
    this.aliases.set(slot, { into, offset });
    return true;
  }
}
