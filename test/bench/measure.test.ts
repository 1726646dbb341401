import { expect, test } from "vitest";
import { type Case, expectSome, learned } from "../../bench/case.ts";
import { measure } from "../../bench/measure.ts";
import { html, jsonLines, line, type Report } from "../../bench/report.ts";
import * as hg from "../../src/node.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine({ seed: 1, software: true });

const peak = { gflops: 10, gbs: 1 };
const options = { repeats: 3 };

/** exp of 64 numbers, of which `expected` says what they should be. */
function exponential(expected: (x: number) => number): Case {
  const x = learned(engine, [64], 1);
  return {
    ...{ op: "exp", shape: "64", flops: 64, bytes: 512 },
    record: () => ({ y: hg.noGrad(() => hg.exp(x.tensor)) }),
    check: ({ y }) => expectSome(y!, (at) => expected(x.values[at]!)),
  };
}

test("a right case has times, rates and counts, of one run each", async () => {
  const { row, host } = await measure(engine, () => exponential(Math.exp), peak, options);
  expect(row.error).toBeUndefined();
  expect(Object.keys(row)).toEqual(
    "engine op shape msMedian msMin gflops gbs rooflineShare dispatches submits buffers adapter".split(" "),
  );
  expect(row).toMatchObject({
    engine: "handgrad",
    op: "exp",
    dispatches: 1,
    submits: 1,
    buffers: 0,
    adapter: engine.adapter,
  });
  expect(row.msMin!).toBeGreaterThan(0);
  expect(row.msMin!).toBeLessThanOrEqual(row.msMedian!);
  expect(row.gflops!).toBeCloseTo(64 / row.msMedian! / 1e6, 12);
  expect(row.rooflineShare!).toBeCloseTo(Math.max(row.gflops! / 10, row.gbs! / 1), 12);
  expect(host).toBeGreaterThan(0);
  expect(JSON.parse(jsonLines([row]))).toEqual(row);
});

test("a wrong number makes an error row without figures", async () => {
  const { row } = await measure(engine, () => exponential(Math.cosh), peak, options);
  expect(row.error).toMatch(/^number \d+ is .*, expected /);
  expect([row.msMedian, row.msMin, row.gflops, row.rooflineShare]).toEqual([null, null, null, null]);
  expect(line(row)).toContain("error: number");
});

const broken = hg.kernel("broken", () => hg.wgsl`no shader`);
const refusedByGpu = hg.customOp("broken", (recording, [x]) => {
  const y = hg.allocate(recording, [1]);
  recording.dispatch({ kernel: broken({}), reads: [x!.slot], writes: [y.slot], grid: [1, 1, 1] });
  return { outputs: [y] };
});

test("so does what the GPU refuses, even where the numbers are right", async () => {
  const right = exponential(Math.exp);
  const refused: Case = {
    ...right,
    record() {
      refusedByGpu([engine.tensor([1])], {});
      return right.record();
    },
  };
  const { row } = await measure(engine, () => refused, peak, options);
  expect(row.error).toMatch(/did not compile/);
  expect(row.msMedian).toBeNull();
});

test("the page holds its numbers, whatever is in them", () => {
  const report = { adapter: "</script>&", rows: [], scaling: [] } as unknown as Report;
  const page = html(report, "const a = '</script>';", "");
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  const data = page.match(/globalThis\.report = (.*);<\/script>/)![1]!;
  expect(JSON.parse(data)).toEqual(report);
});
