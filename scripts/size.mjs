// npm run size: what a page that uses handgrad has to load, minified and gzipped.
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { shorterShaders } from "./minify-wgsl.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * What is measured, what it should weigh in KB, and what it may weigh until it does. "All" is all that a page can use.
 */
export const parts = [
  { name: "core", modules: ["index"], goal: 25, limit: 65 },
  { name: "all", modules: ["index", "model/index", "rl/index", "data/index", "browser"], goal: 45, limit: 142 },
];

/** What pages load of it, as bundlers leave out what is not used, and may. */
export const pages = [
  { name: "the engine and no op", uses: { index: ["createEngine"] }, limit: 21 },
  {
    name: "a perceptron and Adam",
    uses: { index: ["createEngine", "linear", "relu", "crossEntropy", "adam"] },
    limit: 36,
  },
  {
    name: "the network and Adam",
    uses: { index: ["createEngine", "crossEntropy", "adam"], "model/index": ["MultimodalNet"] },
    limit: 63,
  },
  {
    name: "the network, Adam, and the learner from judgements",
    uses: {
      index: ["createEngine", "crossEntropy", "adam"],
      "model/index": ["MultimodalNet", "encodeSafetensors", "weightsOf"],
      "rl/index": ["learner", "memoryLog"],
    },
    limit: 80,
  },
];

/**
 * Bundles what a page uses of src.
 *
 * @param {Readonly<Record<string, readonly string[] | "*">>} uses names by module, or all of it
 * @param {{ shorten?: boolean }} options
 * @returns {Promise<{ kb: number, files: { file: string, bytes: number }[] }>} its size in KB (1,000 bytes), minified and
 * gzipped, and how many bytes of it, not gzipped, come from which file
 */
export async function sizeOf(uses, { shorten = true } = {}) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: Object.entries(uses).map(exported).join("\n"), resolveDir: root },
    ...{ bundle: true, minify: true, format: "esm", target: "es2023", write: false, metafile: true, logLevel: "error" },
    // A page never loads what is in Node only.
    external: ["node:*", "fflate", "idb"],
    plugins: shorten ? [shorterShaders] : [],
  });
  const files = Object.entries(Object.values(metafile.outputs)[0].inputs)
    .map(([file, { bytesInOutput: bytes }]) => ({ file, bytes }))
    .sort((a, b) => b.bytes - a.bytes);
  return { kb: gzipSync(outputFiles[0].contents, { level: 9 }).length / 1000, files };
}

/** @param {[string, readonly string[] | "*"]} use @param {number} i */
const exported = ([module, names], i) =>
  names === "*"
    ? `export * as all${i} from "./src/${module}.ts";`
    : `export { ${names.map((name) => `${name} as ${name}${i}`)} } from "./src/${module}.ts";`;

/** @param {readonly string[]} modules */
export const whole = (modules) => Object.fromEntries(modules.map((module) => [module, /** @type {"*"} */ ("*")]));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, modules, goal, limit } of parts) {
    const { kb, files } = await sizeOf(whole(modules));
    const plain = await sizeOf(whole(modules), { shorten: false });
    console.log(
      `${name}: ${kb.toFixed(1)} KB (goal ${goal}, limit ${limit}); ${plain.kb.toFixed(1)} with shaders as they are`,
    );
    for (const { file, bytes } of files.slice(0, process.argv.includes("--files") ? 100 : 8)) {
      console.log(`  ${String(bytes).padStart(6)} bytes before gzip  ${file}`);
    }
    if (kb > limit) process.exitCode = 1;
  }
  for (const { name, uses, limit } of pages) {
    const { kb } = await sizeOf(uses);
    console.log(`a page with ${name}: ${kb.toFixed(1)} KB (limit ${limit})`);
    if (kb > limit) process.exitCode = 1;
  }
}
