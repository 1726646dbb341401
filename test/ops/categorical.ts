import * as hg from "../../src/index.ts";
import { callWith, mean, type RandomOp } from "../descriptor/index.ts";
import { expectNear } from "../harness.ts";

const op: RandomOp = {
  misuse: (engine, wrong) => callWith(hg.categorical, engine.tensor([0, 0], [1, 2]), wrong),
  keeps: [
    {
      name: "categorical: each class as often as its probability",
      async run(engine) {
        const logits = Float32Array.from({ length: 60000 }, (_, i) => Math.log([1, 2, 7][i % 3]!));
        const drawn = await (await engine.step(() => hg.categorical(engine.tensor(logits, [20000, 3])))).data();
        for (const [i, share] of [0.1, 0.2, 0.7].entries())
          expectNear(`the share of class ${i}`, mean(Array.from(drawn, (v) => (v === i ? 1 : 0))), share, 0.02);
      },
    },
  ],
};
export default op;
