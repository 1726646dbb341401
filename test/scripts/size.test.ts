import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { minifyShaders, minifyWgsl, shorterShaders } from "../../scripts/minify-wgsl.mjs";
import { pages, parts, sizeOf, whole } from "../../scripts/size.mjs";
import { opNames } from "../cases/names.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test.each(parts)("$name weighs no more than it may", async ({ modules, limit }) => {
  const { kb } = await sizeOf(whole(modules));
  expect(kb).toBeLessThanOrEqual(limit);
  expect(kb).toBeGreaterThan(10);
});

test.each(pages)("a page with $name loads no more than it may", async ({ uses, limit }) => {
  const { kb } = await sizeOf(uses);
  expect(kb).toBeLessThanOrEqual(limit);
  expect(kb).toBeGreaterThan(10);
});

test("shaders lose comments and space, and no token runs into the next", () => {
  expect(minifyWgsl("fn f(a : f32) -> f32 { // why\n  return a - -a; /* b */ }\n")).toBe(
    "fn f(a:f32)->f32{return a- -a;} ",
  );
  expect(minifyWgsl("let x : array<vec4<f32> , 4> = y & &z;")).toBe("let x:array<vec4<f32>,4> =y& &z;");
});

test("directives still end at white space, and holes keep their distance", () => {
  const source = [
    "const a = wgsl`",
    "  #if $" + "{bias}",
    "  y += b[i]; // $" + "{note}",
    "  #else",
    "  { return - $" + "{n}; }",
    "  #endif",
    "`;",
    "const text = `  not   a shader $" + "{a}  `;",
  ].join("\n");
  expect(minifyShaders(source)).toBe(
    [
      "const a = wgsl` #if $" + "{bias} y+=b[i];/*$" + "{note}*/#else {return- $" + "{n};}#endif `;",
      "const text = `  not   a shader $" + "{a}  `;",
    ].join("\n"),
  );
});

/** The first case of each op, on the engine as it is published: other modules, so that both can be in one process. */
test("the engine with short shaders computes the same: the first case of every op against PyTorch", async () => {
  const folder = mkdtempSync(join(root, "node_modules", ".short-"));
  try {
    await build({
      stdin: {
        contents: `export { createEngine } from "./src/node.ts";
          export { pageCases } from "./test/browser/cases.ts";
          export { runCase } from "./test/harness.ts";`,
        resolveDir: root,
      },
      ...{
        bundle: true,
        minify: true,
        platform: "node",
        format: "esm",
        outfile: join(folder, "short.mjs"),
        logLevel: "error",
      },
      external: ["webgpu", "@sparticuz/chromium", "fflate"],
      plugins: [shorterShaders],
    });
    const short = (await import(pathToFileURL(join(folder, "short.mjs")).href)) as typeof import("../../src/node.ts") &
      typeof import("../browser/cases.ts") &
      typeof import("../harness.ts");
    const engine = await short.createEngine({ seed: 1, software: true });
    const create = engine.gpu.device.createShaderModule.bind(engine.gpu.device);
    const codes: string[] = [];
    engine.gpu.device.createShaderModule = (descriptor) => {
      codes.push(descriptor.code);
      return create(descriptor);
    };
    const seen = new Set<string>();
    const cases = (await short.pageCases(opNames())).filter(({ name }) => {
      const op = name.split(/[\s,:(]/)[0]!;
      return !seen.has(op) && seen.add(op);
    });
    expect(cases.length).toBeGreaterThan(40);
    for (const one of cases) await short.runCase(engine, one);
    expect(codes.length).toBeGreaterThan(40);
    // They were short indeed, but for snippets that nothing marks as WGSL.
    expect(codes.filter((code) => !code.includes("//")).length / codes.length).toBeGreaterThan(0.8);
    engine.destroy();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
