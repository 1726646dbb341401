import { describe, expect, test } from "vitest";
import { opNames } from "../cases/names.ts";
import { networkCases } from "../cases/network.ts";
import { loadOps, opCases, randomCases } from "../cases/ops.ts";
import { optimizerCases } from "../cases/optimizers.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine();
const ops = await loadOps(opNames());

/** Every shader that these tests compiled, and what the compiler said of it. */
const shaders: { label: string; code: string; messages: Promise<string[]> }[] = [];
const { device } = engine.gpu;
const create = device.createShaderModule.bind(device);
device.createShaderModule = (descriptor) => {
  const module = create(descriptor);
  const messages = module.getCompilationInfo().then((info) => info.messages.map((m) => m.message));
  shaders.push({ label: descriptor.label ?? "", code: descriptor.code, messages });
  return module;
};

describe.each([
  ["ops as PyTorch's", opCases(ops)],
  ["ops that draw at random keep what they must", randomCases(ops)],
  ["optimizers as PyTorch's", optimizerCases],
  ["the reference network", networkCases],
])("%s", (_, cases) => {
  for (const one of cases) test(one.name, () => one.run(engine));
});

describe("every shader that ran", () => {
  test("compiles without warnings", async () => {
    expect(shaders.length).toBeGreaterThan(100);
    for (const { label, messages } of shaders) expect(await messages, label).toEqual([]);
  });

  test("binds at most 8 storage buffers and stays within the default limits", () => {
    for (const { label, code } of shaders) {
      expect(code.match(/var<storage/g)?.length ?? 0, label).toBeLessThanOrEqual(8);
      // A size is a number, or a constant of the shader.
      const sizeOf = (size: string) =>
        Number(/^\d+$/.test(size) ? size : code.match(new RegExp(`const ${size}(?:: \\w+)? = (\\d+)`))?.[1]);
      const sizes = [...code.matchAll(/@workgroup_size\(([^)]+)\)/g)].map(([, list]) =>
        list!.split(",").reduce((n, size) => n * sizeOf(size.trim()), 1),
      );
      expect(sizes, label).toHaveLength(1);
      expect(sizes[0], label).toBeLessThanOrEqual(256);
    }
  });

  test("has no atomics, so that sums have one order", () => {
    for (const { label, code } of shaders) expect(code, label).not.toMatch(/atomic/i);
  });
});
