import type { Gpu, HostArray, Slot } from "../gpu/index.ts";
import { count, type DType, show, type Value } from "../kernels/op.ts";
import { gradientsOf, isTracked, type Node, type Tracked } from "./tape.ts";

/** Numbers that live on the GPU. Made by `engine.tensor`, `engine.parameter` and by ops inside a step. */
export class Tensor implements Tracked {
  /** The op that computed this tensor in the step being recorded; how gradients find their way back. */
  node: Node | undefined;

  constructor(
    readonly gpu: Gpu,
    readonly slot: Slot,
    readonly shape: readonly number[],
    readonly dtype: DType,
    /** Whether gradients with respect to it are wanted. */
    readonly isParameter: boolean = false,
  ) {}

  /** Its numbers, row by row. Waits for the steps that compute them, and does not hold up later ones. */
  async data(): Promise<HostArray> {
    const bytes = await this.gpu.read(this.slot);
    if (this.dtype === "f32") return new Float32Array(bytes);
    return this.dtype === "i32" ? new Int32Array(bytes) : new Uint32Array(bytes);
  }

  /** The number of a tensor that has just one, such as a loss. */
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
    return new Gradients(this.gpu, gradientsOf(this, dy ?? one, recording));
  }

  /** Gives its memory back now. Not needed in a training loop: a step keeps only what it returns. */
  dispose(): void {
    this.gpu.release(this.slot);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return `Tensor ${show(this)} ${this.dtype}`;
  }
}

/** What `loss.backward()` gives: a gradient for each parameter that the loss depends on. */
export class Gradients {
  readonly #gpu: Gpu;
  readonly #values: Map<Tracked, Value>;

  constructor(gpu: Gpu, values: Map<Tracked, Value>) {
    this.#gpu = gpu;
    this.#values = values;
  }

  has(parameter: Tensor): boolean {
    return this.#values.has(parameter);
  }

  /**
   * @throws Error where the loss does not depend on the parameter (`has` tells).
   */
  get(parameter: Tensor): Tensor {
    const d = this.#values.get(parameter);
    if (!d) {
      const why = parameter.isParameter
        ? "the loss does not depend on it"
        : "it is not a parameter: use engine.parameter";
      throw new Error(`gradients.get: there is no gradient for ${parameter}: ${why}.`);
    }
    return new Tensor(this.#gpu, d.slot, parameter.shape, "f32");
  }
}
