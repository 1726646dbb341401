import { describe, expect, test } from "vitest";
import { Random } from "../../src/data/index.ts";
import * as hg from "../../src/index.ts";
import { createEngine } from "../../src/node.ts";
import { useEngine } from "../use-engine.ts";

/* Sums of many numbers that are alike: added one after another they would lose digits. Right values are float64's. */

const engine = await useEngine();

const random = new Random("blocks", 1);
const uniform = (n: number) => Float32Array.from({ length: n }, () => random.uniform());
const total = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0);
const n = 160_000;

/** The engine with one way for all kernels of a family. */
async function by(family: string, way: string, fn: (own: hg.Engine) => Promise<void>): Promise<void> {
  const own = await createEngine({ seed: 1 });
  own.tuning.import({ v: 2, adapter: own.adapter, variants: { [family]: way } });
  await fn(own);
  own.destroy();
}

describe("sums in blocks", () => {
  test.each([
    "registers8",
    "registers4",
    "quads16",
    "quads",
    "shared64",
    "shared32",
    "splitKRegisters",
    "splitKShared",
  ])("the gradient of a bias, by %s", (way) =>
    by("matmul", way, async (own) => {
      if (way.startsWith("quads") && !own.features.has("subgroups")) return;
      const x = uniform(n);
      const [w, b] = [own.parameter([1], [1, 1]), own.parameter([0])];
      const d = await own.step(() =>
        hg
          .linear(own.tensor(new Float32Array(n), [n, 1]), w, b)
          .backward(own.tensor(x, [n, 1]))
          .get(b),
      );
      // The large shared tile adds up runs of 16 alone, ten thousand of them here.
      expect(Math.abs((await d.item()) / total(x) - 1)).toBeLessThan(way === "shared64" ? 6e-6 : 3e-6);
    }),
  );

  // Products are added one after another, but for those that are split: what docs/trust.md says of long ones.
  test.each(["registers8", "quads16", "shared32", "splitKRegisters"])("a product over 65,536 numbers, by %s", (way) =>
    by("matmul", way, async (own) => {
      if (way.startsWith("quads") && !own.features.has("subgroups")) return;
      const K = 65_536;
      const [a, b] = [uniform(4 * K), uniform(4 * K)];
      const y = await own.step(() => hg.matmul(own.tensor(a, [4, K]), own.tensor(b, [4, K]), { transposeB: true }));
      (await y.data()).forEach((found, at) => {
        const [row, column] = [a.subarray((at >> 2) * K, ((at >> 2) + 1) * K), b.subarray((at & 3) * K)];
        const expected = row.reduce((sum, x, k) => sum + x * column[k]!, 0);
        expect(Math.abs(found / expected - 1)).toBeLessThan(way === "splitKRegisters" ? 1e-6 : 3e-5);
      });
    }),
  );

  test.each(["serial", "workgroup"])("softmax over many, by %s", (way) =>
    by("softmax", way, async (own) => {
      const x = uniform(n);
      const y = await own.step(() => hg.softmax(own.tensor(x, [1, n])));
      const all = total(x.map((v) => Math.exp(v)));
      const worst = Array.from(await y.data()).reduce(
        (most, v, i) => Math.max(most, Math.abs((v * all) / Math.exp(x[i]!) - 1)),
        0,
      );
      expect(worst).toBeLessThan(3e-6);
    }),
  );

  test.each(["serial", "workgroup"])("cross-entropy with smoothing, by %s", (way) =>
    by("crossEntropy", way, async (own) => {
      const x = uniform(n);
      const loss = await own.step(() => hg.crossEntropy(own.tensor(x, [1, n]), [0], { labelSmoothing: 1 }));
      const expected = Math.log(total(x.map((v) => Math.exp(v)))) - total(x) / n;
      expect(Math.abs((await loss.item()) / expected - 1)).toBeLessThan(3e-6);
    }),
  );

  test("masked mean, embedding's gradient, average pooling", async () => {
    const x = uniform(n);
    const mean = await engine.step(() => hg.maskedMean(engine.tensor(x, [1, n, 1]), new Int32Array(n).fill(1)));
    expect(Math.abs((await mean.item()) / (total(x) / n) - 1)).toBeLessThan(3e-6);
    const w = engine.parameter([0], [1, 1]);
    const dw = await engine.step(() =>
      hg
        .embedding(new Int32Array(n), w)
        .backward(engine.tensor(x, [n, 1]))
        .get(w),
    );
    expect(Math.abs((await dw.item()) / total(x) - 1)).toBeLessThan(3e-6);
    const picture = x.subarray(0, 400 * 400);
    const pooled = await engine.step(() => hg.avgPool2d(engine.tensor(picture, [1, 1, 400, 400]), { kernelSize: 400 }));
    expect(Math.abs((await pooled.item()) / (total(picture) / picture.length) - 1)).toBeLessThan(3e-6);
  });

  test("variances and batch norms beside a large mean", async () => {
    const x = Float32Array.from({ length: 4096 }, () => 1e4 + random.normal());
    const m = total(x) / x.length;
    const v = total(x.map((a) => (a - m) ** 2)) / x.length;
    const spread = await engine.step(() => hg.variance(engine.tensor(x), { correction: 0 }));
    expect(Math.abs((await spread.item()) / v - 1)).toBeLessThan(1e-5);
    const y = await engine.step(() =>
      hg.batchNorm2d(engine.tensor(x, [1, 1, 64, 64]), undefined, undefined, { training: true }),
    );
    const worst = Array.from(await y.data()).reduce(
      (most, a, i) => Math.max(most, Math.abs(a - (x[i]! - m) / Math.sqrt(v + 1e-5))),
      0,
    );
    // Without the digits that the mean lacks 4e-4.
    expect(worst).toBeLessThan(2e-5);
  });
});
