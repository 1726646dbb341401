import { statSync } from "node:fs";
import { join } from "node:path";
import { buildSite } from "./site.ts";

/* npm run build:web [-- folder]: the page as static files, to be put on any host under any path. */

const folder = process.argv[2] ?? "dist/web";
try {
  const files = await buildSite(folder);
  const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  console.log(`${files.length} files, ${(bytes / 1e6).toFixed(1)} MB in ${folder}`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
