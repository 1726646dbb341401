import { expectEngine } from "../autograd/engine.ts";
import { add, concat, dropModalities, type Engine, Tensor, type TensorLike } from "../autograd/index.ts";
import { checkFlag, checkNumber, checkOptions, describe, number } from "../check.ts";
import { count } from "../kernels/op.ts";
import { type Batch, checkBatch, type ForwardOptions, type ReadField, sizeOf, tensorOf } from "./batch.ts";
import { completeConfig, type FullConfig, type MultimodalConfig, modalitiesOf } from "./config.ts";
import type { Encoder } from "./encoder/encoder.ts";
import { type AnyEncoderKind, type BatchFields, encoders, type Modality } from "./encoder/index.ts";
import type { FusionLayer, Part } from "./fusion/fusion.ts";
import { createFusion } from "./fusion/index.ts";
import { createHead, type Head } from "./head.ts";
import { type Module, ParameterStore, type Start } from "./layers.ts";
import { any, columnOf, onlyPresent, onlyWhere } from "./present.ts";

export type { Batch } from "./batch.ts";
export type { Modality } from "./encoder/index.ts";

const forwardOptions = { training: true } as const;

/** Refuses what is no network of this class. */
export function expectNet(operation: string, net: unknown): asserts net is MultimodalNet {
  if (!(net instanceof MultimodalNet))
    throw new TypeError(`${operation}: the network is ${describe(net)}, expected a MultimodalNet.`);
}

/**
 * A network over picture, text and sound, or some of them, built from a plain configuration: an encoder each
 * (`encoder/`), fused into one feature vector (`fusion/`), and a head that answers (`head.ts`). Any modality may be
 * missing, an example at a time.
 *
 * @example
 * const net = new MultimodalNet(engine, {
 *   image: { shape: [1, 28, 28] },
 *   text: { vocabSize: 58 },
 *   audio: { features: 32 },
 *   fusion: { kind: "gated" },
 *   head: { task: "multiclass", outputs: 10 },
 * });
 * const loss = await engine.step(() => net.loss(net.forward(batch, { training: true }), label));
 */
export class MultimodalNet implements Module {
  /** All options, defaults among them. */
  readonly config: FullConfig;
  /** The engine that its parameters belong to. */
  readonly engine: Engine;
  /** The modalities that it reads, in the order of `encode` and of the columns of `present`. */
  readonly modalities: readonly Modality[];
  /** What it reads of a batch, by name: the encoders' fields. */
  readonly fields: { readonly [F in keyof BatchFields]?: ReadField };
  readonly #store: ParameterStore;
  readonly #encoders: readonly Encoder<BatchFields>[];
  readonly #fusion: FusionLayer;
  readonly #head: Head;
  /** Which modalities, by their places, are fused, and which have a head of their own. */
  readonly #fused: readonly number[];
  readonly #late: readonly { readonly m: number; readonly head: Head }[];

  /**
   * @param config.start gives the numbers of parameters that are not to be drawn by `seed`.
   * @throws RangeError naming the option that cannot be.
   */
  constructor(engine: Engine, config: MultimodalConfig & { seed?: number; start?: Start }) {
    expectEngine("MultimodalNet", engine);
    const { seed = 0, start, ...given } = config ?? {};
    checkNumber("MultimodalNet", "seed", seed, number.whole);
    this.config = completeConfig(given);
    this.engine = engine;
    const store = new ParameterStore(engine, seed, start);
    this.#store = store;
    this.modalities = modalitiesOf(this.config);
    const kinds = this.modalities.map((m) => ({ m, kind: encoders[m] as AnyEncoderKind, config: this.config[m]! }));
    this.#encoders = kinds.map(({ kind, config }) => kind.create(store, config));
    this.fields = Object.fromEntries(
      kinds.flatMap(({ m, kind, config }) =>
        Object.entries(kind.fields).map(([name, { shape, exportedShape = shape, dtype = "f32", optional = false }]) => [
          name,
          { modality: m, shape: shape(config), exportedShape: () => exportedShape(config), dtype, optional },
        ]),
      ),
    );
    const { fusion, head } = this.config;
    const parts = this.#encoders.map(({ size }, m) => ({ name: this.modalities[m]!, size }));
    const isLate = ({ name }: Part) => fusion.late.includes(name);
    this.#fused = parts.flatMap((part, m) => (isLate(part) ? [] : [m]));
    this.#fusion = createFusion(
      store,
      fusion,
      this.#fused.map((m) => parts[m]!),
    );
    this.#head = createHead(store, head, { features: this.#fusion.size });
    this.#late = parts.flatMap((part, m) =>
      isLate(part) ? [{ m, head: createHead(store, head, { name: `late.${part.name}`, features: part.size }) }] : [],
    );
  }

  /** @returns its parameters by name. */
  parameters(): Record<string, Tensor> {
    return this.#store.parameters();
  }

  /** How many numbers are learned. */
  get size(): number {
    return Object.values(this.parameters()).reduce((sum, p) => sum + count(p.shape), 0);
  }

  /** A, the number of outputs: classes, labels or values. */
  get numOutputs(): number {
    return this.config.head.outputs;
  }

  /** The modalities that are not fused with the others (`fusion.late`). */
  get late(): readonly Modality[] {
    return this.config.fusion.late;
  }

  /** F, the size of the fused features. */
  get fusedSize(): number {
    return this.#fusion.size;
  }

  /**
   * The whole network; called in a step.
   *
   * @param batch of N examples.
   * @param options.training turns dropout on. Default false.
   * @returns logits [N, A]. Differentiable in all parameters.
   * @throws TypeError or RangeError naming the part of the batch that is missing or of another shape.
   */
  forward(batch: Batch, options: ForwardOptions = {}): Tensor {
    checkOptions("MultimodalNet.forward", options, forwardOptions);
    const { training = false } = options;
    checkFlag("MultimodalNet.forward", "training", training);
    checkBatch("MultimodalNet.forward", batch);
    const shape = [sizeOf(batch, this.fields, this.modalities.length), this.modalities.length];
    const lacking = this.#lackingIn(batch);
    let present = batch.present === undefined ? undefined : tensorOf(this.engine, batch, "present", shape);
    const features = this.#encode({ ...batch, present }, lacking);
    if (training && this.config.modalityDropout > 0) {
      present ??= this.engine.tensor(new Float32Array(count(shape)).fill(1), shape);
      present = dropModalities(present, { p: this.config.modalityDropout });
    }
    return this.#logits(features, present, { dropout: training ? this.config.head.dropout : 0, lacking });
  }

  /** The places of modalities that no example of a batch has, where the host knows: they may be missing, and cost nothing. */
  #lackingIn({ present }: Batch): number[] {
    if (present === undefined || present instanceof Tensor) return [];
    const M = this.modalities.length;
    const marks = Array.from(present as ArrayLike<number>);
    return this.modalities.flatMap((_, m) => (marks.some((mark, i) => i % M === m && mark !== 0) ? [] : [m]));
  }

  /**
   * The encoders alone. Numbers (image, audio) that an example lacks by `present` are read as 0; what all examples lack by a
   * `present` that is no tensor need not be in the batch, and has features of 0.
   *
   * @param batch of N examples.
   * @returns features [N, D] of each modality, in the order of `modalities`.
   * @throws TypeError or RangeError naming the part of the batch that is missing or of another shape.
   */
  encode(batch: Batch): Tensor[] {
    checkBatch("MultimodalNet.encode", batch);
    const N = sizeOf(batch, this.fields, this.modalities.length);
    const present =
      batch.present === undefined ? undefined : tensorOf(this.engine, batch, "present", [N, this.modalities.length]);
    return this.#encode({ ...batch, present }, this.#lackingIn(batch));
  }

  #encode(batch: Batch & { present: Tensor | undefined }, lacking: readonly number[]): Tensor[] {
    const N = sizeOf(batch, this.fields, this.modalities.length);
    return this.#encoders.map((encoder, m) => {
      if (lacking.includes(m)) return this.engine.tensor(new Float32Array(N * encoder.size), [N, encoder.size]);
      return encoder.encode((name) => {
        const { shape, dtype } = this.fields[name]!;
        const sizes = shape.map((size) => (size === "N" ? N : typeof size === "number" ? size : -1));
        const x = tensorOf(this.engine, batch, name, sizes, dtype);
        // Ids are never NaN: what stands in their place reaches features alone, which fusion leaves out.
        return dtype === "f32" ? onlyPresent(x, batch.present, m) : x;
      }, batch);
    });
  }

  /**
   * The fusion alone, of the modalities that are fused.
   *
   * @param features [N, D] of each modality.
   * @param present [N, M], the modality mask. Default: all are there.
   * @returns [N, F]
   */
  fuse(features: readonly Tensor[], present?: TensorLike): Tensor {
    return this.#fuse(features, this.#marks(features, present));
  }

  /** `present` as a tensor. */
  #marks(features: readonly Tensor[], present: TensorLike | undefined): Tensor | undefined {
    const shape = [features[0]!.shape[0]!, this.modalities.length];
    return present === undefined ? undefined : tensorOf(this.engine, { present }, "present", shape);
  }

  #fuse(features: readonly Tensor[], present: Tensor | undefined): Tensor {
    const marks =
      present && this.#late.length > 0
        ? concat(
            this.#fused.map((m) => columnOf(present, m)),
            { axis: 1 },
          )
        : present;
    return this.#fusion.join(
      this.#fused.map((m) => features[m]!),
      marks,
    );
  }

  /**
   * Fusion and head; with late modalities the sum of all heads' logits, each where an example has what it reads.
   *
   * @param features [N, D] of each modality.
   * @param present [N, M], the modality mask. Default: all are there.
   * @param dropout probability, of the fused features' head. Default 0.
   * @returns logits [N, A]
   */
  classify(features: readonly Tensor[], present?: TensorLike, dropout = 0): Tensor {
    return this.#logits(features, this.#marks(features, present), { dropout, lacking: [] });
  }

  /** `lacking`: modalities that no example has, by their places; heads that would read nothing else are left out. */
  #logits(
    features: readonly Tensor[],
    present: Tensor | undefined,
    { dropout, lacking }: { dropout: number; lacking: readonly number[] },
  ): Tensor {
    const isLacking = (m: number) => lacking.includes(m);
    const late = this.#late.filter(({ m }) => !isLacking(m));
    const isFused = late.length === 0 || !this.#fused.every(isLacking);
    const joint = isFused ? [this.#head.logits(this.#fuse(features, present), dropout)] : [];
    if (this.#late.length === 0) return joint[0]!;
    // A head's bias says something too: it must not where there is nothing that the head could read.
    const fused = joint.map((logits) => onlyWhere(present && any(present, this.#fused), logits));
    const own = late.map(({ m, head }) => onlyWhere(present && columnOf(present, m), head.logits(features[m]!, 0)));
    return [...fused, ...own].reduce((sum, logits) => add(sum, logits));
  }

  /**
   * The loss of the head's task.
   *
   * @param logits [N, A]
   * @param target classes [N], labels [N, A] or numbers [N, A].
   * @returns the mean over the batch, a scalar.
   */
  loss(logits: Tensor, target: TensorLike): Tensor {
    return this.#head.loss(logits, target);
  }

  /**
   * What logits mean.
   *
   * @param logits [N, A]
   * @returns [N, A], probabilities, or of the task "regression" the values.
   */
  predict(logits: Tensor): Tensor {
    return this.#head.predict(logits);
  }
}
