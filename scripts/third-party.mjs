// Writes THIRD-PARTY.md: the licenses of what dist/cli.js contains, which ask to travel with it.
//   npm run licenses              writes it
//   npm run licenses -- --check   fails where it is not what it would be
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { cli } from "./run.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const { metafile } = await build({ ...cli, metafile: true, write: false, logLevel: "error" });

/** Folders of the packages that are bundled, by what lies in them. */
const folders = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input);
  if (folder) folders.add(folder[0]);
}

const parts = [...folders].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8"));
  const file = readdirSync(root + folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${folder} has no file with its license; find out what may be done with it.`);
  return `## ${name} ${version}, ${license}\n\n${readFileSync(`${root}${folder}/${file}`, "utf8").trim()}\n`;
});
const text = `# What \`dist/cli.js\` contains of others\n\nMade by \`npm run licenses\`.\n\n${parts.join("\n")}`;

const path = `${root}THIRD-PARTY.md`;
if (!process.argv.includes("--check")) writeFileSync(path, text);
else if (readFileSync(path, "utf8") !== text) {
  console.error("THIRD-PARTY.md is not of what is bundled now. Run `npm run licenses`.");
  process.exitCode = 1;
}
