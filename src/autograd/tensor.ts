import { describe } from "../check.ts";
import type { Gpu, HostArray, Recording, Slot } from "../gpu/index.ts";
import { show } from "../kernels/checks.ts";
import { count, type DType, type Value } from "../kernels/op.ts";
import { gradientsOf, isTracked, type Node, type Tracked } from "./tape.ts";

/** Numbers where an op takes a tensor or an array: labels, ids, masks, targets. An array is uploaded with the step. */
export type TensorLike = Tensor | HostArray | readonly number[];

/**
 * Numbers on the GPU, with a shape and a type. Made by `engine.tensor`, `engine.parameter` and by ops inside a step.
 *
 * @example
 * const x = engine.tensor([1, 2, 3, 4], [2, 2]);
 * const y = await engine.step(() => matmul(x, x));
 * console.log(y.shape, await y.data()); // [2, 2], Float32Array [7, 10, 15, 22]
 */
export class Tensor implements Tracked {
  /** @internal The op that computed this tensor in the step being recorded; how gradients find their way back. */
  node: Node | undefined;
  #kept = false;
  #disposed = false;

  /** @internal */
  constructor(
    /** @internal The device it is on. */
    readonly gpu: Gpu,
    /** @internal Where its numbers are. */
    readonly slot: Slot,
    /** Its sizes, the outermost axis first; [] for a single number. */
    readonly shape: readonly number[],
    /** "f32", "i32" or "u32". */
    readonly dtype: DType,
    /** Whether gradients with respect to it are wanted. */
    readonly isParameter: boolean = false,
  ) {}

  /**
   * Its numbers, row by row. Waits for the steps that compute them, and does not hold up later ones.
   *
   * @returns a new Float32Array, Int32Array or Uint32Array, as its dtype.
   * @throws Error where it was disposed, or belongs to a step that did not return it.
   */
  async data(): Promise<HostArray> {
    if (this.#disposed) throw new Error("tensor.data: this tensor was disposed.");
    const bytes = await this.gpu.read(this.slot);
    if (this.dtype === "f32") return new Float32Array(bytes);
    return this.dtype === "i32" ? new Int32Array(bytes) : new Uint32Array(bytes);
  }

  /**
   * The number of a tensor that has just one, such as a loss.
   *
   * @returns the number.
   * @throws TypeError where it holds several, and as `data`.
   */
  async item(): Promise<number> {
    if (count(this.shape) !== 1)
      throw new TypeError(`tensor.item: ${show(this)} does not hold one number. Use data().`);
    return (await this.data())[0]!;
  }

  /**
   * Records the gradients of this tensor, a single number, with respect to every parameter it was computed from in
   * this step. There is nothing to set to zero: gradients are a value, and the tape ends with the step.
   *
   * @param dy the gradient to begin with, of this tensor's shape; needed only where it holds more than one number.
   * @returns the gradients, by `get(parameter)`, for an optimizer or to be returned from the step.
   * @throws Error where no step is open, or it was not computed from a parameter in this step; TypeError where dy is of another
   * shape.
   */
  backward(dy?: Tensor): Gradients {
    const { recording } = this.gpu;
    if (!recording) throw new Error("backward: no step is open. Call it in the engine.step that computes the loss.");
    if (!isTracked(this, recording)) {
      throw new Error("backward: this tensor was not computed from a parameter in this step (or within noGrad).");
    }
    if (dy ? show(dy) !== show(this) : count(this.shape) !== 1) {
      const found = dy ? `dy is ${show(dy)}` : "there is no dy";
      throw new TypeError(
        `backward: the tensor is ${show(this)} and ${found}. Reduce it by sum or mean, or give dy of its shape.`,
      );
    }
    const one: Value = { slot: recording.upload(new Float32Array([1])), shape: this.shape, dtype: "f32", one: true };
    if (dy && dy.gpu !== this.gpu) throw new Error("backward: dy belongs to another engine.");
    dy?.expectUsable("backward", recording);
    return new Gradients(this.gpu, recording, gradientsOf(this, dy ?? one, recording));
  }

  /**
   * Gives its memory back now, unless another tensor shows the same numbers under another shape. Not needed in a training
   * loop: a step keeps only what it returns.
   */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.#kept) return;
    this.slot.owners -= 1;
    if (this.slot.owners === 0) this.gpu.residency.release(this.slot);
  }

  /** @internal Makes it outlive the step that is open: its memory stays until it is disposed. */
  keep(): void {
    if (this.#kept) return;
    this.#kept = true;
    this.slot.owners += 1;
  }

  /** @internal @throws Error where it cannot be used in this step: it was disposed, or belongs to an earlier step. */
  expectUsable(operation: string, recording: Recording): void {
    const { slot } = this;
    if (this.#disposed || slot.released) throw new Error(`${operation}: the tensor ${show(this)} was disposed.`);
    if (!slot.resident && !slot.host && !slot.pendingRead && !recording.computes(slot)) {
      throw new Error(
        `${operation}: the tensor ${show(this)} belongs to an earlier step. Return it from that step to keep it.`,
      );
    }
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @returns its shape and type, such as "Tensor [2, 3] f32". */
  toString(): string {
    return `Tensor ${show(this)} ${this.dtype}`;
  }
}

/**
 * What `loss.backward()` gives: a gradient for each parameter that the loss depends on. It ends with its step.
 *
 * @example const dw = await engine.step(() => sum(matmul(x, w)).backward().get(w));
 */
export class Gradients {
  readonly #gpu: Gpu;
  readonly #recording: Recording;
  readonly #values: Map<Tracked, Value>;

  /** @internal */
  constructor(gpu: Gpu, recording: Recording, values: Map<Tracked, Value>) {
    this.#gpu = gpu;
    this.#recording = recording;
    this.#values = values;
  }

  /**
   * Whether the loss depends on a parameter.
   *
   * @param parameter made by `engine.parameter`.
   * @returns true where `get` gives a gradient.
   * @throws Error outside of the step that computed them, with which gradients end.
   */
  has(parameter: Tensor): boolean {
    this.#expectInStep();
    expectParameter("gradients.has", parameter);
    return this.#values.has(parameter);
  }

  /**
   * The gradient of the loss with respect to a parameter.
   *
   * @param parameter made by `engine.parameter`.
   * @returns a tensor of the parameter's shape. No gradient flows through it.
   * @throws Error where the loss does not depend on the parameter (`has` tells), and outside of the step that computed them.
   */
  get(parameter: Tensor): Tensor {
    this.#expectInStep();
    expectParameter("gradients.get", parameter);
    const d = this.#values.get(parameter);
    if (!d) {
      const why = parameter.isParameter
        ? "the loss does not depend on it"
        : "it is not a parameter: use engine.parameter";
      throw new Error(`gradients.get: there is no gradient for ${parameter}: ${why}.`);
    }
    return new Tensor(this.#gpu, d.slot, parameter.shape, "f32");
  }

  #expectInStep(): void {
    if (this.#gpu.recording === this.#recording) return;
    throw new Error(
      "gradients: they belong to an earlier step. Use them in the step that computes them, or return gradients.get(parameter) from it to keep one.",
    );
  }
}

function expectParameter(operation: string, x: unknown): void {
  if (!(x instanceof Tensor))
    throw new TypeError(`${operation}: argument 1 is ${describe(x)}, expected a parameter, made by engine.parameter.`);
}
