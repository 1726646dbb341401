import { expect, test } from "vitest";
import { accuracyOf, compare, measuredWith, type Validation, validationOf } from "../../demo/web/worker/validation.ts";

/* When a network is called better or worse, and when it is held back. */

/** Of 100 examples, those from `from` on that are answered right. */
const right = (n: number, from = 0): Validation => {
  const examples = Array.from({ length: 100 }, (_, i) => ({ id: `e${i}`, label: 0 }));
  return validationOf(
    n,
    examples,
    examples.map((_, i) => (i >= from && i < from + n ? [0.9, 0.1] : [0.1, 0.9])),
  );
};

test("accuracy comes with its interval", () => {
  const { right: n, of, low, high } = accuracyOf(right(70));
  expect([n, of]).toEqual([70, 100]);
  expect(low).toBeCloseTo(0.604, 3);
  expect(high).toBeCloseTo(0.781, 3);
});

test("a difference is called one where chance would seldom make it", () => {
  expect(compare(right(70), right(75))).toEqual({ gained: 5, lost: 0, verdict: "same" });
  expect(compare(right(70), right(76))).toEqual({ gained: 6, lost: 0, verdict: "better" });
  expect(compare(right(76), right(70))).toEqual({ gained: 0, lost: 6, verdict: "worse" });
  // As many right, of others.
  expect(compare(right(50), right(50, 50))).toEqual({ gained: 50, lost: 50, verdict: "same" });
});

test("only what both were measured by counts", () => {
  const other = { ...right(100), ids: right(100).ids.map((id, i) => (i < 97 ? `other ${id}` : id)) };
  expect(compare(right(0), other)).toEqual({ gained: 3, lost: 0, verdict: "same" });
});

test("what is worse is held back, also where it became so little by little, and let go once it is not", () => {
  let known = measuredWith(right(80), undefined);
  for (const n of [77, 75]) {
    known = measuredWith(right(n), known);
    expect(known.held).toBeUndefined();
    expect(known.shown).toEqual(right(n));
  }
  known = measuredWith(right(72), known);
  expect(known).toEqual({ first: right(80), best: right(80), shown: right(75), held: right(72) });
  known = measuredWith(right(90), known);
  expect(known).toEqual({ first: right(80), best: right(90), shown: right(90) });
});
