import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { globals } from "webgpu";
import * as source from "./shaders.ts";

/*
 * What is published computes what src computes. The package is built into a folder of its own, as `npm run build` does it: shaders
 * lose their comments and their space. The same tokens compute the same bits.
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

/** Sends what is imported of src to the built package. */
const fromPackage: Plugin = {
  name: "from-package",
  setup(build) {
    build.onResolve({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      path: `./${path.slice(path.indexOf("src/")).replace(/ts$/, "js")}`,
      external: true,
    }));
  },
};

/** A program of this repository, over the built package. */
async function overPackage<T>(program: string): Promise<T> {
  const outfile = join(folder, program.replace(/.*\//, "").replace(/ts$/, "mjs"));
  await build({
    absWorkingDir: root,
    entryPoints: [program],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    plugins: [fromPackage],
    logLevel: "error",
  });
  return import(pathToFileURL(outfile).href);
}

beforeAll(() => {
  Object.assign(globalThis, globals);
  folder = mkdtempSync(join(root, "node_modules", ".dist-"));
  const run = (...args: string[]) => execFileSync(process.execPath, args, { cwd: root });
  run("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json", "--outDir", folder);
  run("scripts/shorten-dist.mjs", folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** WGSL's tokens, the longest first. */
const TOKEN =
  /0[xX][\da-fA-F]+[iu]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fhiu]?|[A-Za-z_]\w*|->|&&|\|\||[<>]{2}=?|[-+]{2}|[-+*/%&|^=!<>]=|\S/g;
const tokens = (code: string) =>
  code
    .replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, " ")
    .match(TOKEN)!
    .join(" ");

test("every shader of every variant of every op is, token by token, that of src", async () => {
  const expected = await source.shadersOfAllCases();
  const { shadersOfAllCases } = await overPackage<typeof source>("test/scripts/shaders.ts");
  const found = await shadersOfAllCases();
  const asTokens = (shaders: typeof expected) => new Set(shaders.map(({ label, code }) => `${label}: ${tokens(code)}`));
  const [inSource, inPackage] = [asTokens(expected), asTokens(found)];
  expect(inSource.size).toBeGreaterThan(300);
  expect([...inPackage].filter((shader) => !inSource.has(shader))).toEqual([]);
  expect([...inSource].filter((shader) => !inPackage.has(shader))).toEqual([]);
  // The package's are short indeed.
  expect(found.filter(({ code }) => /\n {2}|\/\//.test(code)).map(({ label }) => label)).toEqual([]);
});
