// Bundles a program of this repository, and runs it:
//   node scripts/run.mjs demo/web/serve.ts 8081        what follows the program is the program's own
//   node scripts/run.mjs --bundle demo/cli/main.ts     only bundles it
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const common = { absWorkingDir: root, bundle: true, platform: "node", format: "esm", logLevel: "warning" };

/** The program `handgrad` is published, and with it what it uses, but for what its users install or do without. */
export const cli = {
  ...common,
  entryPoints: ["demo/cli/main.ts"],
  outfile: "dist/cli.js",
  external: ["webgpu", "@sparticuz/chromium", "fflate"],
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
};

/** All other programs run here only, with the packages that are installed. @param {string} program */
const ownProgram = (program) => ({
  ...common,
  entryPoints: [`./${program}`],
  outfile: `dist/${program.replace(/\.ts$/, "").replaceAll("/", "-")}.js`,
  packages: "external",
});

/** @param {string} program its path in the repository @returns the options that it is bundled by */
export const optionsFor = (program) => (cli.entryPoints.includes(program) ? cli : ownProgram(program));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const onlyBundle = process.argv[2] === "--bundle";
  const [program, ...args] = process.argv.slice(onlyBundle ? 3 : 2);
  if (!program?.endsWith(".ts")) {
    console.error(`the program is "${program ?? ""}", expected a .ts file: node scripts/run.mjs demo/web/serve.ts`);
    process.exit(2);
  }
  const options = optionsFor(program);
  // esbuild has printed what is wrong.
  await build(options).catch(() => process.exit(1));
  if (!onlyBundle) {
    const child = spawn(process.execPath, [root + options.outfile, ...args], { stdio: "inherit" });
    // A terminal sends Ctrl-C to both; the program decides what it means.
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("exit", (code, signal) => {
      process.exitCode = code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)];
    });
  }
}
