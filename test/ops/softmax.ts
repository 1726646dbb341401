import fc from "fast-check";
import * as hg from "../../src/index.ts";
import { agreeAlong, numbers } from "../agree.ts";
import { type Op, size, y } from "../descriptor/index.ts";
import { rows } from "../descriptor/variants.ts";
import { expectEqual } from "../harness.ts";
import * as reference from "../reference/index.ts";

/** A row that a thread does not sum alone. */
const D = 333;

const op: Op = {
  call: ({ x }, o) => y(hg.softmax(x!, o)),
  reference: ({ x }) => y(reference.softmax(x!)),
  variants: [rows],
  property: { draw: fc.tuple(size(9), size(13)).map((shape) => ({ inputs: { x: numbers(shape, 1) } })), runs: 8 },
  long: [
    {
      name: "softmax: long",
      run: (engine) =>
        agreeAlong(
          engine,
          { x: numbers([2, D], 1) },
          ({ x }) => ({ y: hg.softmax(x!), log: hg.logSoftmax(x!) }),
          ({ x }) => ({ y: reference.softmax(x!), log: reference.logSoftmax(x!) }),
        ),
    },
    {
      name: "softmax: NaN far back in a row",
      async run(engine) {
        const x = Float32Array.from(numbers([2, D], 1).data);
        x[D - 1] = Number.NaN;
        const y = await engine.step(() => hg.softmax(engine.tensor(x, [2, D])));
        const [first, second] = [(await y.data()).slice(0, D), (await y.data()).slice(D)];
        expectEqual(
          "how many are NaN",
          [first, second].map((row) => row.filter(Number.isNaN).length),
          [D, 0],
        );
      },
    },
  ],
};
export default op;
