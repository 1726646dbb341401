import * as hg from "../../src/index.ts";
import { mean, type RandomOp } from "../descriptor/index.ts";
import { expectEqual, expectNear } from "../harness.ts";

const op: RandomOp = {
  misuse: (engine, wrong) => hg.dropModalities(engine.tensor([1, 1], [1, 2]), { p: 0.5, ...wrong }),
  keeps: [
    {
      name: "dropModalities: each is dropped with its probability, and never all of a row",
      async run(engine) {
        const present = Float32Array.from({ length: 30000 }, (_, i) => (i % 30 === 0 ? 0 : 1));
        const y = await engine.step(() => hg.dropModalities(engine.tensor(present, [10000, 3]), { p: 0.3 }));
        const kept = await y.data();
        const empty = Array.from({ length: 10000 }, (_, n) => kept.subarray(3 * n, 3 * n + 3)).filter((row) =>
          row.every((v) => v === 0),
        );
        expectEqual("rows without any", empty.length, 0);
        expectEqual("what was not there and is kept", kept.filter((v, i) => present[i] === 0 && v !== 0).length, 0);
        // All three are dropped, and so kept again, in 2.7 % of the rows.
        expectNear("the share that is kept", mean(kept) / mean(present), 0.7 + 0.027, 0.02);
      },
    },
  ],
};
export default op;
