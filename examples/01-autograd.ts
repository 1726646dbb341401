import { add, createEngine, mul, sum, tanh } from "handgrad/node";

/* Gradients: y = Σ tanh(a · x + b) and its derivatives. node scripts/run.mjs examples/01-autograd.ts */

const engine = await createEngine({ seed: 1 });
const x = engine.tensor([-1, 0, 1, 2]);
const a = engine.parameter([0.5]);
const b = engine.parameter([0.1]);

const { y, da, db } = await engine.step(() => {
  const y = sum(tanh(add(mul(a, x), b)));
  const gradients = y.backward();
  // What the step returns outlives it; everything else gives its memory back.
  return { y, da: gradients.get(a), db: gradients.get(b) };
});
console.log(`y = ${(await y.item()).toFixed(4)}`);
console.log(`dy/da = ${(await da.item()).toFixed(4)}`);
console.log(`dy/db = ${(await db.item()).toFixed(4)}`);
engine.destroy();
