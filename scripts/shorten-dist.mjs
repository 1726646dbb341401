// The last part of `npm run build`: shorter shaders in what tsc wrote.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { minifyShaders } from "./minify-wgsl.mjs";

const dist = fileURLToPath(new URL("../dist/src/", import.meta.url));
for (const name of readdirSync(dist, { recursive: true })) {
  if (!String(name).endsWith(".js")) continue;
  const text = readFileSync(dist + name, "utf8");
  const shorter = minifyShaders(text);
  if (shorter !== text) writeFileSync(dist + name, shorter);
}
