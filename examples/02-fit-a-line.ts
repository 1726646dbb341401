import { Random } from "handgrad/data";
import { createEngine, linear, mse, sgd } from "handgrad/node";

/* Fits y = 3 x − 2 to 64 noisy points. node scripts/run.mjs examples/02-fit-a-line.ts */

const engine = await createEngine({ seed: 1 });
const random = new Random("line", 1);
const xs = Array.from({ length: 64 }, () => 2 * random.uniform() - 1);
const x = engine.tensor(xs, [64, 1]);
const y = engine.tensor(
  xs.map((x) => 3 * x - 2 + 0.05 * random.normal()),
  [64, 1],
);

const w = engine.parameter([0], [1, 1]);
const b = engine.parameter([0]);
const optimizer = sgd({ w, b }, { lr: 0.3 });

for (let step = 0; step < 60; step++) {
  await engine.step(() => {
    const loss = mse(linear(x, w, b), y);
    optimizer.update(loss.backward()); // gradients are a value: there is nothing to set to zero
  });
}
console.log(`y = ${(await w.item()).toFixed(2)} x + ${(await b.item()).toFixed(2)}`);
engine.destroy();
