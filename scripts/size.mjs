// npm run size: what a page that uses handgrad has to load, minified and gzipped.
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { shorterShaders } from "./minify-wgsl.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What is measured, what it should weigh in KB, and what it may weigh until it does. "All" is all that a browser can use.
 */
export const parts = [
  { name: "core", modules: ["index"], goal: 25, limit: 50 },
  { name: "all", modules: ["index", "model/index", "rl/index", "data/index"], goal: 45, limit: 105 },
];

/**
 * Bundles modules of src as a page would.
 *
 * @param {readonly string[]} modules @param {{ shorten?: boolean }} options
 * @returns {Promise<{ kb: number, files: { file: string, bytes: number }[] }>} its size in KB (1,000 bytes), minified and
 * gzipped, and how many bytes of it, not gzipped, come from which file
 */
export async function sizeOf(modules, { shorten = true } = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: modules.map((m, i) => `export * as m${i} from "./src/${m}.ts";`).join("\n"), resolveDir: root },
    ...{ bundle: true, minify: true, format: "esm", target: "es2023", write: false, metafile: true, logLevel: "error" },
    external: ["node:*", "fflate"],
    plugins: shorten ? [shorterShaders] : [],
  });
  const files = Object.entries(Object.values(metafile.outputs)[0].inputs)
    .map(([file, { bytesInOutput: bytes }]) => ({ file, bytes }))
    .sort((a, b) => b.bytes - a.bytes);
  return { kb: gzipSync(outputFiles[0].contents, { level: 9 }).length / 1000, files };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, modules, goal, limit } of parts) {
    const { kb, files } = await sizeOf(modules);
    const plain = await sizeOf(modules, { shorten: false });
    console.log(
      `${name}: ${kb.toFixed(1)} KB (goal ${goal}, limit ${limit}); ${plain.kb.toFixed(1)} with shaders as they are`,
    );
    for (const { file, bytes } of files.slice(0, process.argv.includes("--files") ? 100 : 8)) {
      console.log(`  ${String(bytes).padStart(6)} bytes before gzip  ${file}`);
    }
    if (kb > limit) process.exitCode = 1;
  }
}
