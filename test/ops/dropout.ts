import * as hg from "../../src/index.ts";
import { mean, type RandomOp } from "../descriptor/index.ts";
import { expectEqual, expectNear } from "../harness.ts";

const op: RandomOp = {
  misuse: (engine, wrong) => hg.dropout(engine.tensor([1, 2]), { p: 0.5, ...wrong }),
  keeps: [
    {
      name: "dropout: a share is kept, scaled so that the mean stays; the gradient goes the same way",
      async run(engine) {
        const x = engine.parameter(new Float32Array(20000).fill(2), [20000]);
        const { y, d } = await engine.step(() => {
          const y = hg.dropout(x, { p: 0.25 });
          return { y, d: hg.sum(y).backward().get(x) };
        });
        const [values, gradient] = [await y.data(), await d.data()];
        expectEqual("the values", [...new Set(Array.from(values, (v) => v.toFixed(4)))].sort(), ["0.0000", "2.6667"]);
        expectNear("the mean", mean(values), 2, 0.05);
        values.forEach((v, i) => {
          expectNear(`d[${i}]`, gradient[i]!, v === 0 ? 0 : 4 / 3, v === 0 ? 0 : 1e-5);
        });
      },
    },
    {
      name: "dropout: what is dropped is not read",
      async run(engine) {
        const nothing = engine.tensor(new Float32Array(1000).fill(Number.NaN));
        const y = await (await engine.step(() => hg.dropout(nothing, { p: 0.5 }))).data();
        expectNear("the share of zeros", mean(Array.from(y, (v) => (v === 0 ? 1 : 0))), 0.5, 0.1);
      },
    },
  ],
};
export default op;
