import * as hg from "../../src/index.ts";
import { largest, smallest } from "../../src/numbers.ts";
import { mean, type RandomOp } from "../descriptor/index.ts";
import { expectEqual, expectNear } from "../harness.ts";

/** The number that lies `ulps` floats above x. */
const above = (x: number, ulps: number) =>
  new Float32Array(Int32Array.of(new Int32Array(Float32Array.of(x).buffer)[0]! + ulps).buffer)[0]!;

const op: RandomOp = {
  misuse: (engine, wrong) => hg.uniform(engine, [1], wrong),
  keeps: [
    {
      name: "uniform: between its bounds, with their mean",
      async run(engine) {
        const x = await (await engine.step(() => hg.uniform(engine, [20000], { low: -1, high: 3 }))).data();
        expectEqual("within the bounds", smallest(x) >= -1 && largest(x) < 3, true);
        expectNear("the mean", mean(x), 1, 0.04);
      },
    },
    {
      name: "uniform: the upper end is never reached, however few numbers lie between",
      async run(engine) {
        const draw = async (low: number, high: number) =>
          (await engine.step(() => hg.uniform(engine, [10_000], { low, high }))).data();
        for (const low of [1, 2 ** 20, 100]) {
          const high = above(low, 2);
          const drawn = await draw(low, high);
          expectEqual("below the end", largest(drawn) < high, true);
          expectEqual("the smallest", smallest(drawn), low);
        }
        expectEqual("the only number", largest(await draw(-2, above(-2, -1))), -2);
        expectEqual("the only number", largest(await draw(1, 1 + 2 ** -23)), 1);
      },
    },
  ],
};
export default op;
