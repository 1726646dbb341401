import { type Engine, noGrad, type Tensor } from "../autograd/index.ts";
import { checkNumber, checkOptions, describe, number } from "../check.ts";
import { refusePromise } from "../gpu/index.ts";
import { total } from "../numbers.ts";
import type { Metric, Predictions } from "./metrics.ts";
import { checkSource, SOURCE_OPTIONS, type Source, type SourceOptions, sourceBatches } from "./source.ts";
import { checkModel, lossOf, type Objective, objectiveOf, type Trainable, targetOf } from "./trainable.ts";

/** What `evaluate` computes, and how it reads data. */
export interface EvaluateOptions<B, E> extends SourceOptions<B, E> {
  /** What the model's outputs mean. Default: as the model itself says. */
  objective?: Objective | undefined;
  /** Metrics by the names of the result, such as `{ accuracy }`. Default: none. */
  metrics?: Readonly<Record<string, Metric>>;
}

/** How `predict` reads data, and what outputs mean. */
export interface PredictionOptions<B, E> extends SourceOptions<B, E> {
  /** What the model's outputs mean. Default: as the model itself says. */
  objective?: Pick<Objective, "predict">;
}

/** What `evaluate` found. */
export interface Evaluation {
  /** Mean loss over the examples. */
  loss: number;
  /** Each metric of all predictions together, by its name. */
  metrics: Record<string, number>;
  /** All predictions, beside their targets. */
  predictions: Predictions;
}

/**
 * Loss and metrics of a model on data, in inference mode (no dropout).
 *
 * @param model such as a `MultimodalNet`.
 * @param data a set of examples, or a function that gives batches; batches have a `label`.
 * @param options objective, metrics, and how data are read.
 * @returns mean loss, metrics, and predictions.
 * @throws RangeError where there is no batch; TypeError or RangeError naming what of model, data or options cannot be.
 * @example const { metrics } = await evaluate(net, testSet, { metrics: { accuracy } });
 */
export async function evaluate<B, E>(
  model: Trainable<B>,
  data: Source<B, E>,
  options: EvaluateOptions<B, E> = {},
): Promise<Evaluation> {
  checkOptions("evaluate", options, { ...SOURCE_OPTIONS, objective: true, metrics: true });
  return evaluated("evaluate", model, data, options);
}

/** As `evaluate`, for whoever has checked the options as its own. */
export async function evaluated<B, E>(
  who: string,
  model: Trainable<B>,
  data: Source<B, E>,
  options: EvaluateOptions<B, E>,
): Promise<Evaluation> {
  checkSource(who, data, options);
  checkModel(who, model);
  checkMetrics(who, options.metrics);
  const { loss, predict } = objectiveOf("evaluate", model, options.objective);
  const values: Float32Array[] = [];
  const targets: number[] = [];
  const losses: number[] = [];
  let [examples, numOutputs] = [0, 0];
  const results = outputs(model.engine, sourceBatches(data, options), (batch: B) => {
    const output = model.forward(batch);
    numOutputs = output.shape.slice(1).reduce((a, b) => a * b, 1);
    return [lossOf("evaluate", loss(output, targetOf("evaluate", batch))), predict(output)];
  });
  for await (const { batch, arrays } of results) {
    const [value, predictions] = arrays;
    const N = predictions!.length / numOutputs;
    if (N === 0)
      throw new RangeError(`${who}: a batch holds no example, of which there is no mean loss. Leave it out.`);
    losses.push(value![0]! * N);
    examples += N;
    values.push(predictions!);
    for (const target of targetOf("evaluate", batch)) targets.push(target);
  }
  if (examples === 0) throw new RangeError("evaluate: the data gave no batch, expected at least one.");
  const predictions = { values: joined(values), numOutputs, targets };
  const named = Object.entries(options.metrics ?? {}).map(([name, metric]) => {
    const figure: unknown = metric(predictions);
    refusePromise(`${who}: metric ${name}`, figure);
    checkNumber(who, `metric ${name}`, figure, number.any);
    return [name, figure] as const;
  });
  return { loss: total(losses) / examples, metrics: Object.fromEntries(named), predictions };
}

/** Refuses metrics that are no functions by name. */
export function checkMetrics(who: string, metrics: EvaluateOptions<never, never>["metrics"]): void {
  if (metrics === undefined) return;
  if (typeof metrics !== "object" || metrics === null || Array.isArray(metrics))
    throw new TypeError(`${who}: metrics is ${describe(metrics)}, expected functions by name, such as { accuracy }.`);
  for (const [name, metric] of Object.entries(metrics)) {
    if (typeof metric !== "function")
      throw new TypeError(`${who}: metric ${name} is ${describe(metric)}, expected a function such as accuracy.`);
  }
}

/**
 * The predictions of a model for each example, such as probabilities. No labels needed.
 *
 * @param model such as a `MultimodalNet`.
 * @param data a set of examples, or a function that gives batches.
 * @param options objective, and how data are read.
 * @returns `values` [N, K], row by row, and `numOutputs` K.
 * @throws TypeError or RangeError naming what of model, data or options cannot be.
 * @example const { values, numOutputs } = await predict(net, testSet);
 */
export async function predict<B, E>(
  model: Trainable<B>,
  data: Source<B, E>,
  options: PredictionOptions<B, E> = {},
): Promise<Pick<Predictions, "values" | "numOutputs">> {
  checkOptions("predict", options, { ...SOURCE_OPTIONS, objective: true });
  checkSource("predict", data, options);
  checkModel("predict", model);
  const said = options.objective?.predict ?? model.predict?.bind(model);
  if (!said)
    throw new TypeError("predict: the model does not say what its outputs mean. Give objective, such as classes.");
  const values: Float32Array[] = [];
  let numOutputs = 0;
  const results = outputs(model.engine, sourceBatches(data, options), (batch: B) => {
    const output = said(model.forward(batch));
    numOutputs = output.shape.slice(1).reduce((a, b) => a * b, 1);
    return [output];
  });
  for await (const { arrays } of results) values.push(arrays[0]!);
  return { values: joined(values), numOutputs };
}

/** Runs `forward` on each batch in a step without gradients, and gives its numbers while the next batch is computed. */
export async function* outputs<B>(
  engine: Engine,
  batches: Iterable<B> | AsyncIterable<B>,
  forward: (batch: B) => readonly Tensor[],
): AsyncGenerator<{ batch: B; arrays: Float32Array[] }> {
  const run = async (batch: B) => {
    const tensors = await engine.step(() => noGrad(() => [...forward(batch)]));
    const arrays = await Promise.all(tensors.map(async (y) => (await y.data()) as Float32Array));
    for (const y of tensors) y.dispose();
    return { batch, arrays };
  };
  let before: ReturnType<typeof run> | undefined;
  for await (const batch of batches) {
    const now = run(batch);
    now.catch(() => {}); // thrown where it is awaited, not as unhandled
    if (before) yield await before;
    before = now;
  }
  if (before) yield await before;
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((n, a) => n + a.length, 0));
  let at = 0;
  for (const a of arrays) {
    all.set(a, at);
    at += a.length;
  }
  return all;
}
