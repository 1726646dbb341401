import { Random } from "../../src/data/random.ts";
import { adam, dropout, type Engine, type Tensor } from "../../src/index.ts";
import {
  type FitOptions,
  fit,
  linearLayer,
  objectives,
  ParameterStore,
  type Trainable,
} from "../../src/model/index.ts";

/* A task and a network small enough to be trained many times over in a test: is a point inside a ring? */

export interface Point {
  x: Float32Array;
  label: number;
}
export interface Points {
  x: Float32Array;
  label: Int32Array;
}

export function points(n: number, seed: number): Point[] {
  const random = new Random("points", seed);
  return Array.from({ length: n }, () => {
    const x = Float32Array.of(2 * random.uniform() - 1, 2 * random.uniform() - 1);
    return { x, label: Math.hypot(x[0]!, x[1]!) < 0.75 ? 1 : 0 };
  });
}

export const collate = (some: readonly Point[]): Points => ({
  x: Float32Array.from(some.flatMap(({ x }) => [...x])),
  label: Int32Array.from(some, ({ label }) => label),
});

/** Two numbers → a hidden layer with dropout → logits of K outputs. */
export function pointNet(engine: Engine, { K = 2, p = 0.1, seed = 1 } = {}): Trainable<Points> {
  const store = new ParameterStore(engine, seed);
  const hidden = linearLayer(store, "hidden", { inputs: 2, outputs: 24, activation: "tanh" });
  const output = linearLayer(store, "output", { inputs: 24, outputs: K });
  return {
    engine,
    parameters: () => store.parameters(),
    forward({ x }: Points, { training = false } = {}): Tensor {
      const features = hidden(engine.tensor(x, [x.length / 2, 2]));
      return output(training ? dropout(features, { p }) : features);
    },
  };
}

export const settings = { batch: 16, collate, objective: objectives.multiclass } as const;

/** A run in which everything that can go on differently does: dropout, shuffling, a schedule, early stopping. */
export function run(engine: Engine, options: Partial<FitOptions<Points, Point>> = {}) {
  const net = pointNet(engine);
  const optimizer = adam(net.parameters(), { lr: 0.02 });
  const fitted = fit<Points, Point>(net, points(100, 1), {
    ...settings,
    optimizer,
    epochs: 6,
    validation: points(60, 2),
    schedule: (step) => 0.02 * 0.98 ** step,
    earlyStopping: { patience: 5 },
    ...options,
  });
  return { net, optimizer, fitted };
}
