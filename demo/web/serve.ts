import { serveSite } from "./serve-site.ts";
import { buildSite } from "./site.ts";

/* npm run demo:web [-- port]: builds the page and serves it on this machine. */

const port = Number(process.argv[2] ?? 8080);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(`the port is "${process.argv[2]}", expected a whole number from 0 to 65535.`);
  process.exit(2);
}
try {
  await buildSite("dist/web");
  const { url } = await serveSite("dist/web", port);
  console.log(`the page is at ${url} (Ctrl-C ends it)`);
} catch (error) {
  const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
  console.error(taken ? `port ${port} is taken: npm run demo:web -- ${port + 1}` : (error as Error).message);
  process.exit(taken ? 2 : 1);
}
