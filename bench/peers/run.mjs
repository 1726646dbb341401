// npm run bench:peers: installs the other engines where they are not or are old, bundles, runs.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const time = (path) => statSync(here(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
// npm notes there what it has installed.
if (time("node_modules/.package-lock.json") < time("package-lock.json")) {
  // Without install scripts: onnxruntime-node's would fetch CUDA.
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: here("."),
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
await build({
  entryPoints: [here("main.ts")],
  bundle: true,
  splitting: true,
  platform: "node",
  // The peers' modern builds, as a page would get them.
  mainFields: ["module", "main"],
  conditions: ["import", "module"],
  format: "esm",
  outdir: here("dist"),
  logLevel: "error",
  external: ["webgpu", "@sparticuz/chromium", "esbuild", "playwright-core", "fflate"],
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
});
const { status } = spawnSync(process.execPath, [here("dist/main.js"), ...process.argv.slice(2)], { stdio: "inherit" });
process.exit(status ?? 1);
