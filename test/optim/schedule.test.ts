import { expect, test } from "vitest";
import { adam, constant, cosine, mul, sgd, stepped, sum, warmUp } from "../../src/index.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine();

test("schedules", () => {
  expect([0, 5, 99].map(constant(0.1))).toEqual([0.1, 0.1, 0.1]);
  const half = cosine(1, 10, 0.2);
  expect(half(0)).toBe(1);
  expect(half(5)).toBeCloseTo(0.6, 12);
  expect(half(10)).toBeCloseTo(0.2, 12);
  expect(half(99)).toBeCloseTo(0.2, 12);
  expect([0, 9, 10, 25].map(stepped(1, 10, 0.5))).toEqual([1, 1, 0.5, 0.25]);
  expect([0, 1, 3, 4, 14].map(warmUp(4, stepped(1, 10, 0.5)))).toEqual([0.25, 0.5, 1, 1, 0.5]);
});

test("a schedule moves an optimizer, and clipping by value bounds each number of a gradient", async () => {
  const w = engine.parameter([0, 0, 0]);
  const optimizer = sgd([w], { lr: 1, clipValue: 2 });
  const schedule = stepped(1, 1, 0.5);
  for (let step = 0; step < 2; step++) {
    optimizer.lr = schedule(step);
    await engine.step(() => {
      optimizer.update(sum(mul(w, engine.tensor([1, -5, 9]))).backward());
    });
  }
  expect([...(await w.data())]).toEqual([-1.5, 3, -3]);
  expect(() => adam([w], { lr: 1, clipValue: -1 })).toThrow(/clipValue is -1/);
});
