import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exp, ln } from "../../src/data/elementary.ts";
import { Random } from "../../src/data/index.ts";

const draw = (random: Random, n = 5) => Array.from({ length: n }, () => random.uniform());

describe("Random", () => {
  test("the numbers of a stream never change: runs recorded long ago can be repeated", () => {
    const random = new Random("golden", 1);
    expect(draw(random, 3).map((x) => x * 2 ** 32)).toEqual(GOLDEN.words);
    expect([random.normal(), random.normal(), random.normal()]).toEqual(GOLDEN.normal);
  });

  test("parts: one stream for each list, a number is its text, and the borders between parts count", () => {
    expect(draw(new Random("a", 7))).toEqual(draw(new Random("a", "7")));
    const lists = [["ab"], ["a", "b"], ["b", "a"], ["a", "b", ""], [], [0], [1], [-1], [0.1]];
    expect(new Set(lists.map((list) => draw(new Random(...list)).join())).size).toBe(lists.length);
  });

  test("neighboring seeds are not alike", () => {
    const n = 20_000;
    let product = 0;
    for (let seed = 0; seed < n; seed++) {
      product += (new Random("s", seed).uniform() - 0.5) * (new Random("s", seed + 1).uniform() - 0.5) * 12;
    }
    expect(Math.abs(product / n)).toBeLessThan(4 / Math.sqrt(n));
  });

  test("uniform: moments and range", () => {
    const random = new Random("uniform");
    const x = draw(random, 100_000);
    expect(x.every((v) => v >= 0 && v < 1)).toBe(true);
    expect(mean(x)).toBeCloseTo(0.5, 2);
    expect(mean(x.map((v) => (v - 0.5) ** 2))).toBeCloseTo(1 / 12, 3);
  });

  test("normal: moments, and the shares in the middle, beyond 2 and in the tail of the ziggurat", () => {
    const random = new Random("normal");
    const n = 1_000_000;
    const x = Float64Array.from({ length: n }, () => random.normal());
    const share = (inside: (v: number) => boolean) => x.filter(inside).length / n;
    expect(Math.abs(mean(x))).toBeLessThan(0.004);
    expect(Math.abs(mean(x.map((v) => v ** 2)) - 1)).toBeLessThan(0.006);
    expect(Math.abs(mean(x.map((v) => v ** 4)) - 3)).toBeLessThan(0.04);
    expect(Math.abs(share((v) => Math.abs(v) < 0.5) - 0.382925)).toBeLessThan(0.002);
    expect(Math.abs(share((v) => v > 2) - 0.02275)).toBeLessThan(0.0006);
    expect(Math.abs(share((v) => Math.abs(v) > 3.442619855899) - 0.000576)).toBeLessThan(0.0001);
  });

  test("integer: every value, as often as the others, and only whole numbers above 0 are asked for", () => {
    const random = new Random("integer");
    const counts = new Array(7).fill(0);
    for (let i = 0; i < 70_000; i++) counts[random.integer(7)] += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(450);
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 33]) expect(() => random.integer(n)).toThrow(`is ${n}`);
    expect(() => random.choice([])).toThrow("nothing to choose from");
  });

  test("shuffle keeps what there is, in place, and every order is as likely", () => {
    const random = new Random("shuffle");
    const counts = new Map<string, number>();
    for (let i = 0; i < 12_000; i++) {
      const order = random.shuffle(["a", "b", "c"]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual(["abc", "acb", "bac", "bca", "cab", "cba"]);
    for (const count of counts.values()) expect(Math.abs(count - 2000)).toBeLessThan(200);
    const array = Int32Array.of(1, 2, 3);
    expect(random.shuffle(array)).toBe(array);
  });

  test("a state goes through JSON and the stream goes on from it", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(50), (seed, before) => {
        const random = new Random(seed);
        for (let i = 0; i < before; i++) random.normal();
        const state = JSON.parse(JSON.stringify(random.state()));
        const next = draw(random);
        const other = new Random("another");
        other.restore(state);
        expect(draw(other)).toEqual(next);
      }),
    );
    expect(() => new Random().restore([1, 2])).toThrow("expected the four integers");
  });
});

test("e^x and ln x from arithmetic are Math's to 15 digits", () => {
  for (const x of [1e-300, 1e-10, 0.1, 0.5, Math.SQRT1_2, 0.999, 1.001, 2, 10, 12345.678, 1e300]) {
    expect(Math.abs(ln(x) - Math.log(x))).toBeLessThanOrEqual(2e-15 * Math.max(1, Math.abs(Math.log(x))));
  }
  for (const x of [-700, -20, -5.9, -1, -1e-9, 0, 1e-9, 0.3, 1, 20, 700]) {
    // The error of x - k·ln 2 grows with |x|.
    expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-15 * (1 + Math.abs(x)));
  }
  expect(ln(1)).toBe(0);
});

function mean(x: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]!;
  return sum / x.length;
}

/** Written down when the generator was made. */
const GOLDEN = {
  words: [3534572924, 607986287, 1247767625],
  normal: [0.7646822992931501, -1.201046063072559, 0.4722022721318361],
};
