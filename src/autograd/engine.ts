import { checkList, checkNumber, checkOptions, describe, isPlainObject, type Known, number } from "../check.ts";
import {
  adapterName,
  browserAdapter,
  type EngineLost,
  Gpu,
  type HostArray,
  kindOf,
  openDevice,
  type Profile,
  type Recording,
  refusePromises,
  type Slot,
  type Stats,
  Tuning,
  type TuningResult,
  type Wait,
} from "../gpu/index.ts";
import { show } from "../kernels/checks.ts";
import type { DType } from "../kernels/op.ts";
import { variants } from "../kernels/variants.ts";
import { hostTensor } from "./apply.ts";
import { Gradients, Tensor } from "./tensor.ts";

/** Options of `createEngine`. */
export interface EngineOptions {
  /** Of everything random that steps do: the same seed on the same adapter gives the same bits. Default 0. */
  seed?: number;
  /** The adapter to compute on. Default: what `navigator.gpu` prefers. */
  adapter?: GPUAdapter;
  /** What `engine.tuning.export()` gave on this adapter. Default: the documented variants of this kind of device. */
  tuning?: TuningResult;
  /** How to wait for GPU promises. Default: as for any promise; `handgrad/node` sleeps between polls. */
  wait?: Wait;
}

const engineOptions: Known<EngineOptions> = { seed: true, adapter: true, tuning: true, wait: true };

/** Refuses what is no engine, such as the options of one. */
export function expectEngine(operation: string, engine: unknown): asserts engine is Engine {
  if (!(engine instanceof Engine))
    throw new TypeError(`${operation}: the engine is ${describe(engine)}, expected what createEngine gives.`);
}

/**
 * A device, the tensors on it, and the steps that compute them. `createEngine` makes one.
 *
 * @example
 * const engine = await createEngine({ seed: 1 });
 * const w = engine.parameter([1, 2], [2]);
 * const loss = await engine.step(() => sum(mul(w, w)));
 * console.log(await loss.item()); // 5
 */
export class Engine {
  /** @internal The device beneath it: not part of what stays the same between versions. */
  readonly gpu: Gpu;
  /** What the adapter calls itself. */
  readonly adapter: string;

  /** @internal */
  constructor(gpu: Gpu, adapter: string) {
    this.gpu = gpu;
    this.adapter = adapter;
    // `engine.seed = …` is an error, not a property that nobody reads.
    Object.preventExtensions(this);
  }

  /**
   * A tensor of given numbers. They are uploaded with the first step that uses them; from the second on they stay on the GPU.
   *
   * @param data a typed array, a list of numbers or a number, row by row. It must not be changed later.
   * @param shape its sizes. Default: [data.length], and [] for a number.
   * @param dtype Default: as the array's; "f32" for plain numbers.
   * @returns the tensor; no gradient flows to it.
   * @throws TypeError where the numbers do not fill the shape, or are none of this type.
   */
  tensor(data: HostArray | readonly number[] | number, shape?: readonly number[], dtype?: DType): Tensor {
    const numbers = typeof data === "number" ? [data] : data;
    checkList("engine.tensor", "data", numbers, "a typed array, an array of numbers or a number");
    const own = data instanceof Int32Array ? "i32" : data instanceof Uint32Array ? "u32" : "f32";
    const type = dtype === undefined ? own : dtype;
    return hostTensor("engine.tensor", this.gpu, numbers, {
      shape: shape ?? (typeof data === "number" ? [] : [numbers.length]),
      dtype: type,
    });
  }

  /**
   * A tensor that is learned: `loss.backward()` gives its gradient, and an optimizer may change it in place.
   *
   * @param data its first numbers, row by row.
   * @param shape its sizes. Default: [data.length].
   * @returns the parameter, f32.
   * @throws TypeError where the numbers do not fill the shape.
   */
  parameter(data: HostArray | readonly number[], shape?: readonly number[]): Tensor {
    const parameter = hostTensor("engine.parameter", this.gpu, data, {
      shape: shape ?? [data?.length],
      dtype: "f32",
      isParameter: true,
    });
    this.gpu.residency.upload(parameter.slot);
    return parameter;
  }

  /**
   * Records what `fn` computes, plans it once, and submits it as one piece of work. A step of the same structure as an
   * earlier one replays its plan. Only the tensors that `fn` returns, alone or in arrays and plain objects, outlive the step.
   *
   * @param fn computes tensors; it is not asynchronous.
   * @returns what `fn` returned, once the step was submitted; `await tensor.data()` waits for the numbers.
   * @throws TypeError where they are in a Map, a Set, an object of a class, or are the gradients as a whole; Error with the reason
   * where the device refuses the step or is lost.
   * @example const loss = await engine.step(() => crossEntropy(net.forward(batch), labels));
   */
  step<T>(fn: () => T): Promise<T> {
    return this.gpu.step(fn, (result, recording) => this.#keep(result, recording));
  }

  /**
   * A step like any other, but first the variants of its heavy kernels are measured on this adapter, once for each class of
   * sizes. Tune before training, with a batch of the usual size: another variant may round differently.
   *
   * @param fn as of `step`.
   * @returns as `step`.
   */
  tune<T>(fn: () => T): Promise<T> {
    return this.gpu.step(fn, (result, recording) => this.#keep(result, recording), { tune: true, name: "engine.tune" });
  }

  /** The slots of the tensors in what a step returned, which are kept once the step was submitted. */
  #keep(result: unknown, recording: Recording): Slot[] {
    const tensors = tensorsIn(result, recording).filter((tensor) => tensor.gpu === this.gpu);
    for (const tensor of tensors) tensor.expectUsable("engine.step: its result", recording);
    recording.onSubmit(() => {
      for (const tensor of tensors) tensor.keep();
    });
    return tensors.map((tensor) => tensor.slot);
  }

  /** Which variants of its kernels this engine uses: `export()` to save what `tune` measured, `import()` to take it over. */
  get tuning(): Tuning {
    return this.gpu.tuning;
  }

  /**
   * Where the time of the steps goes that `run` awaits: `console.log(String(profile))` is a table, `profile.trace()` a file for
   * Chrome's tracing.
   *
   * @param run asynchronous; the steps that it awaits are timed.
   * @returns the profile.
   * @example const profile = await engine.profile(() => engine.step(() => net.forward(batch)));
   */
  profile(run: () => Promise<unknown>): Promise<Profile> {
    return this.gpu.profile(run);
  }

  /**
   * How many steps were recorded so far. Whatever a step draws at random follows from the engine's seed and this count, so a
   * run that is resumed sets it to what it was.
   *
   * @throws RangeError where it is set to what is no whole number of at least 0.
   * @example engine.stepCount = checkpoint.engineSteps;
   */
  get stepCount(): number {
    return this.gpu.stepCount;
  }
  /** @throws RangeError where it is no whole number of at least 0. */
  set stepCount(count: number) {
    checkNumber("engine", "stepCount", count, number.wholeAtLeast0);
    this.gpu.stepCount = count;
  }

  /**
   * Settles when the engine no longer works, as `GPUDevice.lost` does, and never rejects: with reason "destroyed" after
   * `destroy()`; with "unknown" and what happened where the device was lost, or refused what it was never to refuse. Every call
   * that waits is rejected with the same words.
   *
   * @example engine.lost.then(({ reason, message }) => console.log(reason, message));
   */
  get lost(): Promise<EngineLost> {
    return this.gpu.ended;
  }

  /** What the device has beside what every device has, as `GPUDevice.features`: "subgroups", "timestamp-query", …. */
  get features(): ReadonlySet<string> {
    return this.gpu.device.features;
  }

  /** Settles once the device has done all that was asked for so far; needed to measure time, as reading waits by itself. */
  synchronize(): Promise<void> {
    return this.gpu.synchronize();
  }

  /** Counts of dispatches, submits, uploads and of everything created, in total and in the last step; bytes held. */
  stats(): Stats {
    return this.gpu.stats();
  }

  /** Lets go of the device. Tensors of this engine can no longer be read. */
  destroy(): void {
    this.gpu.destroy();
  }

  /** As `destroy`, for `using`. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

/**
 * In order, each once, however deep they lie in arrays and plain objects.
 *
 * @throws TypeError where one that ends with the step lies in anything else.
 */
function tensorsIn(result: unknown, recording: Recording): Tensor[] {
  const found: Tensor[] = [];
  const seen = new Set<unknown>();
  const others: object[] = [];
  const waiting: unknown[] = [result];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (!next || typeof next !== "object" || seen.has(next)) continue;
    seen.add(next);
    if (next instanceof Tensor) found.push(next);
    else if (Array.isArray(next) || isPlainObject(next)) {
      const items = Object.values(next);
      for (let i = items.length - 1; i >= 0; i--) waiting.push(items[i]);
    } else others.push(next);
  }
  refusePromises("engine.step", others);
  for (const other of others) refuseTensorsIn(other, found, recording);
  return found;
}

/** Refuses a result that is neither an array nor a plain object, where it holds what ends with the step; `kept` does not. */
function refuseTensorsIn(result: object, kept: readonly Tensor[], recording: Recording): void {
  const seen = new Set<unknown>(kept);
  const waiting: unknown[] = [result];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (!next || typeof next !== "object" || seen.has(next) || next instanceof Engine || ArrayBuffer.isView(next))
      continue;
    seen.add(next);
    if (next instanceof Gradients)
      throw new TypeError(
        "engine.step: its result holds Gradients, which end with the step. Return gradients.get(parameter) of those that are to be kept.",
      );
    if (next instanceof Tensor) {
      if (!recording.computes(next.slot)) continue;
      throw new TypeError(
        `engine.step: its result holds the tensor ${show(next)} in ${describe(result)}, and only those in arrays and plain objects are kept. Return [...set], Object.fromEntries(map), or an object such as { loss }.`,
      );
    }
    const items =
      next instanceof Map ? [...next.keys(), ...next.values()] : next instanceof Set ? [...next] : Object.values(next);
    for (const item of items) waiting.push(item);
  }
}

/**
 * Opens a device and makes an engine on it.
 *
 * @param options.seed of everything random that steps do. Default 0.
 * @param options.adapter to compute on. Default: what `navigator.gpu` prefers.
 * @returns the engine.
 * @throws Error that says what to do where there is no adapter, or the seed is not a whole number.
 * @example const engine = await createEngine({ seed: 1 });
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  checkOptions("createEngine", options, engineOptions);
  const { seed = 0, adapter, tuning, wait } = options;
  checkNumber("createEngine", "seed", seed, number.whole);
  if (wait !== undefined && typeof wait !== "function")
    throw new TypeError(`createEngine: wait is ${describe(wait)}, expected a function of a promise.`);
  if (adapter !== undefined && typeof adapter?.requestDevice !== "function")
    throw new TypeError(
      `createEngine: adapter is ${describe(adapter)}, expected what navigator.gpu.requestAdapter() gives.`,
    );
  const chosen = adapter ?? (await browserAdapter());
  const choice = new Tuning(adapterName(chosen), kindOf(chosen), variants);
  if (tuning) choice.import(tuning);
  return new Engine(new Gpu(await openDevice(chosen), seed, choice, wait), choice.adapter);
}
