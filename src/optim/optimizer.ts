import { Gradients, type Tensor } from "../autograd/index.ts";
import { checkName, checkNumber, describe, number } from "../check.ts";
import { contiguousLayout, contiguousRegion, type Gpu, type Recording, Slot } from "../gpu/index.ts";
import { copyInto, copyOutOf } from "../kernels/concat.ts";
import { count } from "../kernels/op.ts";
import { optimizerUpdate, SETTINGS, type UpdateRule } from "../kernels/optimizer.ts";
import {
  type AdamOptions,
  KNOWN,
  type Parameters,
  parametersOf,
  type RmspropOptions,
  type Settings,
  type SgdOptions,
  settingsOf,
} from "./options.ts";
import { checkState, type OptimizerState } from "./state.ts";

/** Sets of parameters with gradients whose table of what is live is kept; more are made again when they come again. */
const LIVE = 32;

/**
 * Changes parameters in place by their gradients. `sgd`, `adam`, `adamw` and `rmsprop` make one.
 *
 * All parameters and both moving averages are updated by one dispatch. With `clipNorm` or `clipValue` gradients are clipped first.
 *
 * @example
 * const optimizer = adam(net.parameters(), { lr: 1e-3, clipNorm: 1 });
 * await engine.step(() => {
 *   const loss = crossEntropy(net.forward(batch), labels);
 *   optimizer.update(loss.backward());
 *   return loss;
 * });
 */
/*
 * Parameters are asked to lie side by side in one buffer, where one dispatch changes
 * them all, and their gradients are computed right into another of the same layout. Where they lie is looked up at every update:
 * another optimizer over some of them may have moved them, and each that lies elsewhere then travels there and back.
 */
export class Optimizer {
  readonly #rule: UpdateRule;
  readonly #settings: Settings;
  readonly #gpu: Gpu;
  /** By how errors call them. */
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #slots: readonly Slot[];
  readonly #offsets: readonly number[];
  readonly #bytes: number;
  readonly #m: Slot;
  readonly #v: Slot | undefined;
  /** Where all parameters lay side by side when they last did. */
  #whole: Slot | undefined;
  /** For each set of parameters that had gradients: how many numbers each 64 of the buffer hold. */
  readonly #live = new Map<string, Slot>();
  #lr = 0;
  #steps = 0;
  /** Updates recorded in the step that is open: they count once it was submitted. */
  #open: { readonly recording: Recording; updates: number } | undefined;
  #disposed = false;

  /**
   * @param rule "sgd", "adam", "adamw" or "rmsprop".
   * @param parameters to be changed, by name or as a list.
   * @param options of the rule.
   * @throws TypeError, RangeError naming the option or the parameter that cannot be.
   */
  constructor(rule: UpdateRule, parameters: Parameters, options: AdamOptions | SgdOptions | RmspropOptions) {
    checkName("Optimizer", "rule", rule, Object.keys(KNOWN) as UpdateRule[]);
    this.#rule = rule;
    this.#settings = settingsOf(rule, options);
    this.lr = options.lr;
    this.#parameters = parametersOf(rule, parameters);
    this.#gpu = this.#parameters.values().next().value!.gpu;
    this.#slots = [...this.#parameters.values()].map((p) => p.slot);
    const { offsets, bytes } = contiguousLayout(this.#slots);
    this.#offsets = offsets;
    this.#bytes = bytes;
    this.#m = this.#zeros();
    this.#v = rule === "sgd" ? undefined : this.#zeros();
    this.#gpu.residency.makeContiguous(this.#slots);
    // `optimizer.learningRate = …` is an error, not a property that nobody reads.
    Object.preventExtensions(this);
  }

  /** The learning rate. May be changed at any time: it is uploaded with every step. */
  get lr(): number {
    return this.#lr;
  }
  /** @throws RangeError where it is negative or not finite. */
  set lr(lr: number) {
    checkNumber(this.#rule, "lr", lr, number.atLeast0);
    this.#lr = lr;
  }

  /**
   * Records the update of every parameter that has a gradient; the others stay as they are.
   *
   * @param gradients what `loss.backward()` gave in the step that is open.
   * @throws Error where no step is open, a parameter was disposed, or no parameter has a gradient.
   */
  update(gradients: Gradients): void {
    this.#expectKept("update");
    const { recording } = this.#gpu;
    if (!recording)
      throw new Error("optimizer.update: no step is open. Call it in the engine.step that computes the gradients.");
    if (!(gradients instanceof Gradients))
      throw new TypeError(
        `optimizer.update: this is ${describe(gradients)}, expected what loss.backward() gave in this step.`,
      );
    for (const [name, p] of this.#parameters) {
      if (p.slot.released)
        throw new Error(`optimizer.update: ${name} was disposed. Make an optimizer of the parameters that are left.`);
    }
    const parameters = [...this.#parameters.values()];
    const learned = parameters.map((p) => gradients.has(p));
    if (!learned.includes(true))
      throw new Error("optimizer.update: none of the optimizer's parameters has a gradient here.");
    const found = parameters.map((p, i) => (learned[i] ? gradients.get(p) : undefined));

    const joint = recording.temporary(this.#bytes);
    recording.collect(
      joint,
      found.map((d) => d?.slot),
      this.#offsets,
      (i) => copyInto(recording, found[i]!, joint, this.#offsets[i]!),
    );
    const whole = this.#wholeNow();
    const all = whole ?? recording.temporary(this.#bytes);
    const eachLearned = (act: (p: Tensor, offset: number) => void) =>
      parameters.forEach((p, i) => {
        if (learned[i]) act(p, this.#offsets[i]!);
      });
    if (!whole) eachLearned((p, offset) => copyInto(recording, p, all, offset));
    const { nesterov, clipNorm, clipValue } = this.#settings;
    optimizerUpdate(recording, {
      rule: this.#rule,
      nesterov,
      clipped: clipNorm !== undefined,
      bounded: clipValue !== undefined,
      parameters: all,
      gradients: joint,
      m: this.#m,
      v: this.#v,
      live: this.#liveOf(learned),
      settings: recording.upload(this.#numbers(this.#steps + this.#count(recording))),
    });
    if (!whole) eachLearned((p, offset) => copyOutOf(recording, all, offset, p));
    eachLearned((p) => recording.learned.set(p.slot, recording.ops));
  }

  /** Counts an update of the step that is open, and gives how many of it there are. */
  #count(recording: Recording): number {
    if (this.#open?.recording !== recording) {
      const open = { recording, updates: 0 };
      this.#open = open;
      recording.onSubmit(() => {
        this.#steps += open.updates;
        this.#open = undefined;
      });
    }
    this.#open!.updates += 1;
    return this.#open!.updates;
  }

  /** What the kernel is told at its `t`-th update. */
  #numbers(t: number): Float32Array {
    const { weightDecay, momentum, betas, eps, clipNorm = 0, clipValue = 0 } = this.#settings;
    const adaptive = this.#rule === "adam" || this.#rule === "adamw";
    const values: Record<(typeof SETTINGS)[number], number> = {
      rate: adaptive ? this.#lr / (1 - betas[0] ** t) : this.#lr,
      decay: weightDecay,
      kept: 1 - this.#lr * weightDecay,
      momentum,
      new1: 1 - betas[0],
      beta2: betas[1],
      new2: 1 - betas[1],
      scale: Math.sqrt(1 - betas[1] ** t),
      eps,
      limit: clipNorm,
      most: clipValue,
    };
    return new Float32Array(SETTINGS.map((name) => values[name]));
  }

  /** All parameters as one, where they lie side by side now. */
  #wholeNow(): Slot | undefined {
    const at = contiguousRegion(this.#slots, this.#offsets);
    if (!at) return undefined;
    const known = this.#whole?.resident;
    if (known?.buffer !== at.buffer || known.offset !== at.offset) {
      this.#whole = new Slot(this.#bytes);
      this.#whole.resident = this.#gpu.memory.region(at.buffer, at.offset, this.#bytes);
    }
    return this.#whole;
  }

  #zeros(): Slot {
    const slot = new Slot(this.#bytes);
    slot.resident = this.#gpu.residency.zeros(this.#bytes);
    return slot;
  }

  #liveOf(learned: readonly boolean[]): Slot {
    const key = learned.map(Number).join("");
    const kept = this.#live.get(key);
    this.#live.delete(key);
    const slot = kept ?? this.#gpu.residency.stage(this.#liveTable(learned));
    if (!kept) this.#gpu.residency.upload(slot);
    this.#live.set(key, slot);
    if (this.#live.size > LIVE) {
      const [oldest, unused] = this.#live.entries().next().value!;
      this.#live.delete(oldest);
      this.#gpu.residency.release(unused);
    }
    return slot;
  }

  #liveTable(learned: readonly boolean[]): Uint32Array {
    const live = new Uint32Array(this.#bytes / 256);
    [...this.#parameters.values()].forEach((p, i) => {
      const n = learned[i] ? count(p.shape) : 0;
      for (let at = 0; at < n; at += 64) live[this.#offsets[i]! / 256 + at / 64] = Math.min(64, n - at);
    });
    return live;
  }

  /**
   * What `restore` needs to go on to the same bits.
   *
   * @returns a copy, after the steps asked for before.
   */
  async state(): Promise<OptimizerState> {
    this.#expectKept("state");
    const numbers = async (slot: Slot) => new Float32Array(await this.#gpu.read(slot));
    const sizes = [...this.#parameters.values()].map((p) => count(p.shape));
    // All are asked for before anything is waited for, so that they are of one moment: after the steps asked for before.
    const [steps, m, v] = await Promise.all([
      new Promise<number>((resolve) => this.#gpu.afterSteps(() => resolve(this.#steps))),
      numbers(this.#m),
      this.#v && numbers(this.#v),
    ]);
    return { steps, m, v, rule: this.#rule, sizes };
  }

  /**
   * Takes over what `state` gave, all or nothing, after the steps asked for before.
   *
   * @param state of the same rule and parameters of the same sizes.
   * @throws TypeError, RangeError where it is the state of another rule or other parameters, or holds what cannot be.
   */
  restore(state: OptimizerState): void {
    this.#expectKept("restore");
    this.checkState(state);
    const { steps } = state;
    this.#gpu.afterSteps(() => {
      this.#steps = steps;
    });
    this.#gpu.write(this.#m, state.m);
    if (this.#v) this.#gpu.write(this.#v, state.v!);
  }

  /** Throws what `restore` would throw, and changes nothing. */
  checkState(state: OptimizerState): void {
    checkState(state, {
      rule: this.#rule,
      sizes: [...this.#parameters.values()].map((p) => count(p.shape)),
      length: this.#bytes / 4,
      hasSquares: this.#v !== undefined,
    });
  }

  #expectKept(what: string): void {
    if (this.#disposed) throw new Error(`optimizer.${what}: this optimizer was disposed. Make another one.`);
  }

  /** Gives back what the optimizer remembers. The parameters stay. */
  dispose(): void {
    this.#disposed = true;
    for (const slot of [this.#m, this.#v, ...this.#live.values()]) if (slot) this.#gpu.residency.release(slot);
    this.#live.clear();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Refuses what is no optimizer. */
export function checkOptimizer(operation: string, optimizer: unknown): asserts optimizer is Optimizer {
  if (!(optimizer instanceof Optimizer))
    throw new TypeError(
      `${operation}: optimizer is ${describe(optimizer)}, expected one such as adam(model.parameters(), { lr: 1e-3 }).`,
    );
}
