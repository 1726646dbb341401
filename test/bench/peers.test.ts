import { createRequire } from "node:module";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { compare, type Result } from "../../bench/peers/compare.ts";
import { startCounting } from "../../bench/peers/count.ts";
import { firstParameters, handgrad } from "../../bench/peers/handgrad.ts";
import { ort } from "../../bench/peers/ort.ts";
import { pageRunner } from "../../bench/peers/page-runner.ts";
import { kernels, network, type Peer } from "../../bench/peers/workloads.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine({ seed: 1, software: true });
startCounting();

const options = { repeats: 1, seconds: 1 };
/** The ONNX Runtime that handgrad's tests use: the peers' own need not be installed. */
const folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));

test("ONNX Runtime gives what handgrad gives, and does not train", async () => {
  const parameters = await firstParameters(engine);
  const peers = [handgrad(engine, "0"), (await ort(engine, folder))!];
  const rows: Result[] = [];
  for (const work of [network("forward", parameters), ...kernels()])
    if (/forward|backward/.test(work.op) || work.shape === "64×64×64")
      rows.push(...(await compare(peers, work, options)));
  expect(rows.map(({ error }) => error)).toEqual(rows.map(() => undefined));
  const served = rows.filter(({ engine }) => engine === "onnxruntime-cpu");
  expect(served.map(({ op }) => op).sort()).toEqual(["conv2d.forward", "forward", "gru.forward", "matmul"]);
  for (const row of served) expect(row.msMedian!).toBeGreaterThan(0);
  expect(await peers[1]!.prepare(network("train_step", parameters))).toBeUndefined();
});

test("where ONNX Runtime is not installed there is no such peer", async () => {
  expect(await ort(engine, "/nowhere/onnxruntime-node")).toBeUndefined();
});

/** An engine that gives `y`, and says what each run took. */
const told = (name: string, y: number, cpu: number | null): Peer => ({
  ...{ name, version: "1", adapter: "none" },
  prepare: async () => ({
    run: async () => {},
    times: () => ({ wall: 8, cpu }),
    outputs: async () => ({ y: [1, y] }),
  }),
});

test("a wrong output makes an error row; processor time is null where it cannot be known", async () => {
  const work = { op: "op", shape: "2", flops: 16e6, calls: 4, warmUps: 1, inputs: {} };
  const peers = [told("one", 1, null), told("two", 1.0005, 4), told("three", 1.01, 4)];
  const [one, two, three] = await compare(peers, work, options);
  expect(one).toMatchObject({ engine: "one", msMedian: 2, msCpu: null, gflops: 8 });
  expect(two).toMatchObject({ engine: "two", msMedian: 2, msCpu: 1 });
  expect(three).toMatchObject({ error: "y[1] is 1.01, expected 1", msMedian: null, msCpu: null });
});

test("where the first engine fails the others say that there is nothing to compare with", async () => {
  const work = { op: "op", shape: "2", flops: 16e6, calls: 4, warmUps: 1, inputs: {} };
  const broken: Peer = { ...told("one", 1, null), prepare: () => Promise.reject(new Error("no memory")) };
  const [one, two] = await compare([broken, told("two", 1, 4)], work, options);
  expect(one).toMatchObject({ error: "no memory" });
  expect(two).toMatchObject({ error: "one gave nothing to compare with" });
});

test("a page that crashes makes error rows, and the next workload gets a new page", async () => {
  const engines = ["handgrad", "jax-js-webgpu"].map((name) => ({ name, version: "1", adapter: "none" }));
  const opened: unknown[][] = [];
  let closed = 0;
  const runner = await pageRunner(
    async () => ({
      errors: [],
      async call<T>(name: string, ...args: unknown[]): Promise<T> {
        if (name === "openBed") {
          opened.push(args);
          return { engines, leftOut: [], workloads: [0, 1].map((n) => ({ op: `op${n}`, shape: "1" })) } as T;
        }
        if (args[0] === 0) throw new Error("page.evaluate: Target crashed\n  at a line of the page");
        return [{ engine: "handgrad" }] as T;
      },
      reload: async () => {},
      close: async () => {
        closed += 1;
      },
    }),
    { handgrad: "1", jax: "2" },
    ["jax", "onnx"],
  );
  expect(runner.leftOut).toEqual(["onnxruntime-cpu: does not run in a page"]);
  const error = "the page gave no answer: page.evaluate: Target crashed";
  expect(await runner.measure(0, options)).toMatchObject([
    { engine: "handgrad", op: "op0", msMedian: null, error },
    { engine: "jax-js-webgpu", op: "op0", msMedian: null, error },
  ]);
  expect([opened.length, closed]).toEqual([1, 1]);
  expect(await runner.measure(1, options)).toEqual([{ engine: "handgrad" }]);
  expect(opened).toEqual([0, 1].map(() => [{ handgrad: "1", jax: "2" }, ["jax", "onnx"]]));
  await runner.close();
  expect(closed).toBe(2);
});
