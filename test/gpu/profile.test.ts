import { expect, test } from "vitest";
import * as hg from "../../src/node.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine({ seed: 1, software: true });

const ones = (n: number) => new Float32Array(n).fill(1);

/** A large product and a small one, of which one number is known. */
async function steps(count: number): Promise<number> {
  const [a, b] = [engine.parameter(ones(256 * 256), [256, 256]), engine.parameter(ones(16), [4, 4])];
  let y = 0;
  for (let i = 0; i < count; i++) {
    const sum = await engine.step(() => hg.noGrad(() => hg.add(hg.sum(hg.matmul(a, a)), hg.sum(hg.exp(b)))));
    y = await sum.item();
    sum.dispose();
  }
  for (const t of [a, b]) t.dispose();
  return y;
}

/** Without the feature the device is timed by waiting. */
const without = (features: ReadonlySet<string>) => ({
  has: (name: string) => name !== "timestamp-query" && features.has(name),
});

test.each(["timestamps", "waiting"] as const)(
  "by %s: each dispatch is there, and the numbers stay right",
  async (how) => {
    const { device } = engine.gpu;
    const { features } = device;
    if (how === "waiting") Object.defineProperty(device, "features", { value: without(features), configurable: true });
    device.pushErrorScope("validation");
    await steps(1);
    const each = engine.stats().step.dispatches;
    let y = 0;
    const start = performance.now();
    const profile = await engine.profile(async () => {
      y = await steps(3);
    });
    const elapsed = performance.now() - start;
    if (how === "waiting") Object.defineProperty(device, "features", { value: features, configurable: true });
    expect(await device.popErrorScope()).toBeNull();

    expect(profile.how).toBe(how);
    expect(y).toBeCloseTo(256 ** 3 + 16 * Math.E, -2);
    expect(profile.dispatches).toHaveLength(3 * each);
    const kernels = profile.kernels();
    expect(kernels.reduce((sum, { count }) => sum + count, 0)).toBe(3 * each);
    // The longest first. On a busy machine that need not be the product: any wait may be a long one.
    expect(kernels).toEqual(kernels.toSorted((a, b) => b.milliseconds - a.milliseconds));
    expect(kernels).toContainEqual(expect.objectContaining({ kernel: expect.stringMatching(/^matmul/), count: 3 }));
    const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    expect(total).toBeGreaterThan(0);
    if (process.env.HANDGRAD_TIMING) expect(total).toBeLessThan(elapsed);

    const table = String(profile).split("\n");
    expect(table).toHaveLength(kernels.length + 2);
    expect(table.slice(1).join("\n")).toMatch(/^matmul\S* +3 +\d+\.\d{3} +\d+\.\d %$/m);
    expect(table.at(-1)).toContain(`by ${how}`);

    const { traceEvents } = JSON.parse(profile.trace()) as {
      traceEvents: { name: string; ph: string; ts: number; dur: number }[];
    };
    expect(traceEvents).toHaveLength(3 * each);
    traceEvents.forEach(({ name, ph, ts, dur }, i) => {
      expect(name).toBe(profile.dispatches[i]!.kernel);
      expect(ph).toBe("X");
      expect(dur).toBeGreaterThanOrEqual(0);
      // One after another, but for what a clock of microseconds rounds away.
      if (i > 0) expect(ts).toBeGreaterThanOrEqual(traceEvents[i - 1]!.ts + traceEvents[i - 1]!.dur - 1);
    });
  },
);

test("a step that fails ends the profile, and later steps run as always", async () => {
  const failing = engine.profile(() =>
    engine.step(() => {
      throw new Error("on purpose");
    }),
  );
  await expect(failing).rejects.toThrow("on purpose");
  expect(await steps(1)).toBeGreaterThan(0);
  expect(engine.stats().step.submits).toBe(1);
});
