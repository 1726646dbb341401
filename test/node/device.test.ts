import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openAdapter } from "../../src/node.ts";
import { runChild } from "./child.ts";

const compute = `
  import { add, createEngine } from "./src/node.ts";
  const engine = await createEngine({ software: true });
  const a = engine.tensor([1, 2, 3]);
  const y = await engine.step(() => add(a, a));
  console.log(Array.from(await y.data()).join());
`;
const open = 'import { openAdapter } from "./src/node.ts"; await openAdapter({ software: true });';

test("opens an adapter, and another one of the same Dawn", async () => {
  for (const options of [{}, { software: true }, {}, { software: true }]) {
    const adapter = await openAdapter(options);
    const device = await adapter.requestDevice();
    if (options.software) expect(adapter.info.description).toMatch(/SwiftShader/);
    device.destroy();
  }
});

test("leaves the environment as it was", async () => {
  const before = { ...process.env };
  await openAdapter({ software: true });
  expect({ ...process.env }).toEqual(before);
});

describe("a process that computes ends by itself", () => {
  test.each([
    ["with destroy()", `${compute} engine.destroy();`],
    ["without", compute],
    ["with a step still running", `${compute} void engine.step(() => add(a, a));`],
  ])("%s", async (_, source) => {
    expect(await runChild(source)).toEqual({ code: 0, stdout: "2,4,6\n", stderr: "" });
  });
});

describe("says what to install", () => {
  test("where webgpu is missing", async () => {
    const { code, stderr } = await runChild(open, { packages: [] });
    expect(code).toBe(1);
    expect(stderr).toContain("which is not installed. Run: npm install webgpu");
  });

  test("where the software device is missing", async () => {
    const { code, stderr } = await runChild(open, { packages: ["webgpu"] });
    expect(code).toBe(1);
    expect(stderr).toContain("openAdapter: the software device is not installed. Run: npm install @sparticuz/chromium");
  });
});

test("processes that unpack the software device at once all get it whole", async () => {
  const cache = mkdtempSync(join(tmpdir(), "handgrad-cache-"));
  try {
    const env = { XDG_CACHE_HOME: cache };
    const ended = await Promise.all([compute, compute, compute].map((source) => runChild(source, { env })));
    expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual(Array(3).fill([0, "2,4,6\n"]));
    expect(readdirSync(join(cache, "handgrad"))).toEqual([expect.stringMatching(/^swiftshader-[\d.]+$/)]);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
