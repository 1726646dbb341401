// The last part of `npm run build`: shorter shaders in what tsc wrote, by default in dist.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { minifyShaders } from "./minify-wgsl.mjs";

const src = join(process.argv[2] ?? fileURLToPath(new URL("../dist", import.meta.url)), "src");
for (const name of readdirSync(src, { recursive: true })) {
  if (!String(name).endsWith(".js")) continue;
  const file = join(src, String(name));
  const text = readFileSync(file, "utf8");
  const shorter = minifyShaders(text);
  if (shorter !== text) writeFileSync(file, shorter);
}
