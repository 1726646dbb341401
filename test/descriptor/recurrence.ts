import fc from "fast-check";
import type { RecurrentOptions, RecurrentResult, RecurrentWeights } from "../../src/index.ts";
import { agreeAlong, numbers } from "../agree.ts";
import type { Case } from "../harness.ts";
import * as reference from "../reference/index.ts";
import { map } from "../reference/index.ts";
import { type Arrays, arrayOf, type Drawn, type Options, size, type Tensors, whole } from "./index.ts";

/* What gru, lstm and rnn share. */

/** Weights are numbered by layer and direction: weightIh0, weightIh1, … */
function layersOf<T>(x: Readonly<Record<string, T>>) {
  const layers = [];
  for (let i = 0; x[`weightIh${i}`]; i++)
    layers.push({
      weightIh: x[`weightIh${i}`]!,
      weightHh: x[`weightHh${i}`]!,
      biasIh: x[`biasIh${i}`]!,
      biasHh: x[`biasHh${i}`]!,
    });
  return layers;
}

type Cell = (
  x: Tensors[string],
  weights: RecurrentWeights | readonly RecurrentWeights[],
  o: RecurrentOptions & Options,
) => RecurrentResult;

/** One set of weights without numbers, or a set for each layer and direction. */
export const callOf = (cell: Cell) => (x: Tensors, o: Options) => {
  const { weightIh, weightHh, biasIh, biasHh } = x;
  const single = { weightIh: weightIh!, weightHh: weightHh!, ...(biasIh && biasHh ? { biasIh, biasHh } : {}) };
  const { output, hidden } = cell(x.x!, weightIh ? single : layersOf(x), { ...o, lengths: x.lengths, h0: x.h0 });
  return { y: output, hidden };
};

export const layered = (cell: reference.Cell, x: Arrays, o: Options): Arrays => ({
  ...reference.layered(cell, x.x!, layersOf(x), o, x.lengths, x.h0),
});

/** Layers, directions, lengths and initial states of a cell with G gates. */
export const drawLayers = (G: number, { states = 1, options = fc.constant<Options>({}) } = {}): fc.Arbitrary<Drawn> =>
  fc
    .tuple(options, size(5), size(3), size(3), size(3), size(2), fc.boolean())
    .map(([more, N, T, I, H, numLayers, bidirectional]) => {
      const directions = bidirectional ? 2 : 1;
      const L = numLayers * directions;
      const inputs: Arrays = {
        x: numbers([N, T, I], 1),
        h0: numbers([...(L > 1 ? [L] : []), ...(states > 1 ? [states] : []), N, H], 99),
      };
      for (let k = 0; k < L; k++) {
        inputs[`weightIh${k}`] = numbers([G * H, k < directions ? I : H * directions], 10 * k + 2);
        inputs[`weightHh${k}`] = numbers([G * H, H], 10 * k + 3);
        inputs[`biasIh${k}`] = numbers([G * H], 10 * k + 4);
        inputs[`biasHh${k}`] = numbers([G * H], 10 * k + 5);
      }
      const lengths = whole(N, (n) => (n * 3) % (T + 1));
      return {
        inputs,
        given: { lengths: arrayOf([N], lengths) },
        options: { ...more, numLayers, bidirectional },
      };
    });

/** More examples than a workgroup takes; more hidden units than it has threads; h0 and no biases. */
export function longRecurrence(
  op: Cell,
  cell: reference.Cell,
  [N, T, H]: readonly [number, number, number],
  { gates, states = 1, options = {} }: { gates: number; states?: number; options?: Options },
): Case {
  const name = cell === "relu" ? "rnn" : cell;
  const G = gates * H;
  const small = (shape: number[], seed: number) => map(numbers(shape, seed), (x) => x / Math.sqrt(shape.at(-1)!));
  const lengths = Array.from({ length: N }, (_, n) => (n + 1) % (T + 1));
  const none = reference.array([G]);
  return {
    name: `${name}: ${cell}, ${N} examples, ${H} units, h0, no bias`,
    run: (engine) =>
      agreeAlong(
        engine,
        {
          x: numbers([N, T, 3], 1),
          weightIh: small([G, 3], 2),
          weightHh: small([G, H], 3),
          h0: numbers(states > 1 ? [states, N, H] : [N, H], 4),
        },
        ({ x, h0, weightIh, weightHh }) => {
          const weights = { weightIh: weightIh!, weightHh: weightHh! };
          const { output, hidden } = op(x!, weights, { h0, lengths, reverse: true, ...options });
          return { y: output, hidden };
        },
        ({ x, h0, weightIh, weightHh }) => ({
          ...reference.layered(
            cell,
            x!,
            [{ weightIh: weightIh!, weightHh: weightHh!, biasIh: none, biasHh: none }],
            { reverse: true },
            reference.array([N], lengths),
            h0,
          ),
        }),
      ),
  };
}
