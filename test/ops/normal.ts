import * as hg from "../../src/index.ts";
import { mean, type RandomOp } from "../descriptor/index.ts";
import { expectNear } from "../harness.ts";

const op: RandomOp = {
  misuse: (engine, wrong) => hg.normal(engine, [1], wrong),
  keeps: [
    {
      name: "normal: mean and standard deviation",
      async run(engine) {
        const x = await (await engine.step(() => hg.normal(engine, [20000], { mean: 2, std: 3 }))).data();
        expectNear("the mean", mean(x), 2, 0.1);
        expectNear("the standard deviation", Math.sqrt(mean(x.map((v) => (v - 2) ** 2))), 3, 0.1);
      },
    },
  ],
};
export default op;
