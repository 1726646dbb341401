import type { Gradients, Tensor } from "../autograd/index.ts";
import { type Gpu, Slot } from "../gpu/index.ts";
import { copyInto } from "../kernels/concat.ts";
import { count } from "../kernels/op.ts";
import { optimiserUpdate, type Rule, SETTINGS } from "../kernels/optimiser.ts";

export interface OptimiserOptions {
  /** Learning rate. */
  lr: number;
  weightDecay?: number;
  /** Gradients are scaled down to this norm, taken over all parameters together. Default: not clipped. */
  clipNorm?: number;
  /** Each number of a gradient is kept within ± this. Default: not. */
  clipValue?: number;
}
export interface SgdOptions extends OptimiserOptions {
  momentum?: number;
  nesterov?: boolean;
}
export interface RmspropOptions extends OptimiserOptions {
  /** How much of the moving average of squares is kept. Default 0.99. */
  alpha?: number;
  momentum?: number;
  epsilon?: number;
}
export interface AdamOptions extends OptimiserOptions {
  betas?: readonly [number, number];
  epsilon?: number;
}

/** What an optimiser remembers, to resume a run exactly: the steps taken and its moving averages. */
export interface OptimiserState {
  steps: number;
  m: Float32Array;
  v: Float32Array | undefined;
}

/**
 * Changes parameters in place by their gradients, all of them in one dispatch: they are moved side by side into one
 * buffer, and their gradients are computed right into another of the same layout.
 */
export class Optimiser {
  /** May be changed at any time: it is uploaded with every step. */
  lr: number;
  readonly #options: AdamOptions & SgdOptions;
  readonly #rule: Rule;
  readonly #gpu: Gpu;
  readonly #parameters: readonly Tensor[];
  readonly #offsets: readonly number[];
  readonly #all: Slot;
  readonly #m: Slot;
  readonly #v: Slot | undefined;
  /** For each set of parameters that had gradients: how many numbers each 64 of the buffer hold. */
  readonly #live = new Map<string, Slot>();
  #steps = 0;

  constructor(rule: Rule, parameters: Record<string, Tensor> | Iterable<Tensor>, options: AdamOptions & SgdOptions) {
    const list = Symbol.iterator in parameters ? [...(parameters as Iterable<Tensor>)] : Object.values(parameters);
    const first = list[0];
    if (!first) throw new TypeError(`${rule}: there are no parameters to learn.`);
    for (const [name, value] of Object.entries({
      lr: options.lr,
      weightDecay: options.weightDecay ?? 0,
      clipNorm: options.clipNorm ?? 1,
      clipValue: options.clipValue ?? 1,
    })) {
      if (!(value >= 0)) throw new RangeError(`${rule}: ${name} is ${value}, expected a number of at least 0.`);
    }
    this.lr = options.lr;
    this.#rule = rule;
    this.#options = options;
    this.#gpu = first.gpu;
    this.#parameters = list;
    const { region, offsets } = this.#gpu.gather(list.map((p) => p.slot));
    this.#offsets = offsets;
    const like = (home = this.#gpu.zeros(region.bytes)) => {
      const slot = new Slot(region.bytes);
      slot.home = home;
      return slot;
    };
    this.#all = like(region);
    this.#m = like();
    this.#v = rule === "sgd" ? undefined : like();
  }

  /** Records the update. Call it once in a step, with the gradients of that step. */
  update(gradients: Gradients): void {
    const { recording } = this.#gpu;
    if (!recording)
      throw new Error("optimiser.update: no step is open. Call it in the engine.step that computes the gradients.");
    const joint = recording.temporary(this.#all.bytes);
    const learned = this.#parameters.map((p) => gradients.has(p));
    if (!learned.includes(true))
      throw new Error("optimiser.update: none of the optimiser's parameters has a gradient here.");
    this.#parameters.forEach((p, i) => {
      if (!learned[i]) return;
      const d = gradients.get(p);
      if (!recording.place(d.slot, joint, this.#offsets[i]!)) copyInto(recording, d, joint, this.#offsets[i]!);
    });
    this.#steps += 1;
    const {
      weightDecay = 0,
      momentum = 0,
      nesterov = false,
      betas = [0.9, 0.999],
      epsilon = 1e-8,
      clipNorm,
      clipValue,
    } = this.#options;
    const values: Record<(typeof SETTINGS)[number], number> = {
      lr: this.lr,
      decay: weightDecay,
      momentum,
      beta1: betas[0],
      beta2: betas[1],
      epsilon,
      scale1: 1 - betas[0] ** this.#steps,
      scale2: Math.sqrt(1 - betas[1] ** this.#steps),
      limit: clipNorm ?? 0,
      most: clipValue ?? 0,
    };
    optimiserUpdate(recording, {
      rule: this.#rule,
      nesterov,
      clipped: clipNorm !== undefined,
      bounded: clipValue !== undefined,
      parameters: this.#all,
      gradients: joint,
      m: this.#m,
      v: this.#v,
      live: this.#liveOf(learned),
      settings: recording.upload(new Float32Array(SETTINGS.map((name) => values[name]))),
    });
  }

  #liveOf(learned: readonly boolean[]): Slot {
    const key = learned.map(Number).join("");
    let slot = this.#live.get(key);
    if (!slot) {
      const live = new Uint32Array(this.#all.bytes / 256);
      this.#parameters.forEach((p, i) => {
        const n = learned[i] ? count(p.shape) : 0;
        for (let at = 0; at < n; at += 64) live[this.#offsets[i]! / 256 + at / 64] = Math.min(64, n - at);
      });
      slot = this.#gpu.hold(live);
      this.#gpu.settle(slot);
      this.#live.set(key, slot);
    }
    return slot;
  }

  async state(): Promise<OptimiserState> {
    const numbers = async (slot: Slot) => new Float32Array(await this.#gpu.read(slot));
    return { steps: this.#steps, m: await numbers(this.#m), v: this.#v && (await numbers(this.#v)) };
  }

  /** @throws RangeError where the state is that of other parameters. */
  restore({ steps, m, v }: OptimiserState): void {
    if (m.byteLength !== this.#m.bytes || v?.byteLength !== this.#v?.bytes) {
      throw new RangeError(
        `optimiser.restore: the state holds ${m.byteLength} bytes, this optimiser's ${this.#m.bytes}: another model's?`,
      );
    }
    this.#steps = steps;
    this.#gpu.write(this.#m, m);
    if (this.#v && v) this.#gpu.write(this.#v, v);
  }

  /** Gives back what the optimiser remembers. The parameters stay. */
  dispose(): void {
    for (const slot of [this.#m, this.#v, ...this.#live.values()]) if (slot) this.#gpu.release(slot);
  }
}

type Parameters = Record<string, Tensor> | Iterable<Tensor>;
export const sgd = (parameters: Parameters, options: SgdOptions): Optimiser =>
  new Optimiser("sgd", parameters, options);
export const adam = (parameters: Parameters, options: AdamOptions): Optimiser =>
  new Optimiser("adam", parameters, options);
/** Adam whose weight decay (0.01 unless given) does not pass through the moving averages. */
export const adamw = (parameters: Parameters, options: AdamOptions): Optimiser =>
  new Optimiser("adamw", parameters, { weightDecay: 0.01, ...options });
export const rmsprop = (parameters: Parameters, { alpha = 0.99, ...options }: RmspropOptions): Optimiser =>
  new Optimiser("rmsprop", parameters, { ...options, betas: [0, alpha] });
