import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { replaceFile } from "handgrad/node";
import { shorterShaders } from "../../scripts/minify-wgsl.mjs";
import { readCredits } from "./credits.ts";
import { contentSecurityPolicy, securityHeaders } from "./policy.ts";

/*
 * The page as a folder of static files, for any host and under any path: every address in it is relative.
 */

/** The demo's folder, looked for from this file upwards, in source and in the build. */
function demoFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "demo/web/site.ts"))) return join(folder, "demo");
    if (folder === dirname(folder)) throw new Error("the folder demo/web is missing.");
  }
}

const ENTRIES = [
  { in: "ui/main.tsx", out: "page" },
  { in: "style/page.css", out: "page" },
  { in: "worker/main.ts", out: "worker" },
  { in: "ui/bench.tsx", out: "bench-page" },
  { in: "worker/bench.ts", out: "bench-worker" },
];

/** Builds the page into a folder, which is emptied first, and lists its files. */
export async function buildSite(to: string): Promise<string[]> {
  const folder = resolve(to);
  const demo = demoFolder();
  const web = join(demo, "web");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const bundle = (entryPoints: { in: string; out: string }[], define: Record<string, string> = {}) =>
    build({
      absWorkingDir: web,
      entryPoints,
      outdir: folder,
      bundle: true,
      minify: true,
      // What two entries share is one file.
      splitting: true,
      format: "esm",
      target: "es2022",
      jsx: "automatic",
      jsxImportSource: "preact",
      // Only what is never reached in a browser asks for these.
      external: ["node:*", "*/node/feedback-log.ts", "fflate"],
      define,
      // As in the package: shaders without comments and indentation.
      plugins: [shorterShaders],
      logLevel: "error",
    });
  await bundle(ENTRIES);
  cpSync(join(web, "site"), folder, { recursive: true });
  for (const name of ["index.html", "bench/index.html"]) {
    const html = readFileSync(join(folder, name), "utf8");
    await replaceFile(join(folder, name), html.replace("%CSP%", contentSecurityPolicy));
  }
  const data = join(demo, "data/tridigits");
  for (const name of ["images.u8.gz", "labels.u8.gz", "clips.ulaw", "clips.json", "hints.json", "licenses"])
    cpSync(join(data, name), join(folder, "data", name), { recursive: true });
  cpSync(join(demo, "data/start.safetensors.gz"), join(folder, "data/start.safetensors.gz"));
  await replaceFile(join(folder, "data/credits.json"), JSON.stringify(readCredits(join(data, "README.md"))));
  const files = filesOf(folder);
  // The first visit stores these for the time without a network.
  await bundle([{ in: "offline.ts", out: "offline" }], {
    FILES: JSON.stringify(files.filter((file) => !file.includes("licenses/"))),
    VERSION: `"${hashOf(folder, files)}"`,
  });
  // Hosts that read such a file send the policy as headers too, which then hold for workers as well.
  const headers = Object.entries(securityHeaders).map(([name, value]) => `  ${name}: ${value}\n`);
  await replaceFile(join(folder, "_headers"), `/*\n${headers.join("")}`);
  return filesOf(folder);
}

const filesOf = (folder: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => statSync(join(folder, file)).isFile())
    .map((file) => file.replaceAll("\\", "/"))
    .sort();

function hashOf(folder: string, files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(join(folder, file)));
  return hash.digest("hex").slice(0, 12);
}
