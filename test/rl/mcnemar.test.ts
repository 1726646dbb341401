import { expect, test } from "vitest";
import { Random } from "../../src/data/random.ts";
import { mcnemar } from "../../src/rl/index.ts";
import fixture from "../fixtures/intervals.json" with { type: "json" };

/* McNemar's test against statsmodels' (fixtures/make_intervals.py), and how often it is wrong. */

test.each(fixture.mcnemar)("statsmodels' p of $gained gained and $lost lost", ({ gained, lost, p }) => {
  expect(mcnemar(gained, lost) / p).toBeCloseTo(1, 10);
});

test("of very many examples the sum is no 0", () => {
  expect(mcnemar(50_000, 50_000)).toBe(1);
  // About 3 standard deviations of √100,000 / 2.
  expect(mcnemar(50_474, 49_526)).toBeCloseTo(0.0027, 3);
});

test("where both are right equally often, it finds a difference at 5 % in at most 5 of 100", () => {
  const random = new Random("mcnemar");
  let found = 0;
  for (let run = 0; run < 2000; run++) {
    let gained = 0;
    for (let i = 0; i < 40; i++) if (random.uniform() < 0.5) gained += 1;
    if (mcnemar(gained, 40 - gained) < 0.05) found += 1 / 2000;
  }
  expect(found).toBeGreaterThan(0.02);
  expect(found).toBeLessThan(0.055);
});
