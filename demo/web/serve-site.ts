import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import sirv from "sirv";
import { contentSecurityPolicy } from "./policy.ts";

/** Serves the built page on this machine alone, with its policy as a header. Port 0 takes a free one. */
export async function serveSite(folder: string, port = 0): Promise<{ url: string; server: Server }> {
  const handler = sirv(folder, {
    dev: true,
    setHeaders: (response) => {
      response.setHeader("Content-Security-Policy", contentSecurityPolicy);
      response.setHeader("X-Content-Type-Options", "nosniff");
    },
  });
  const server = createServer((request, response) => {
    handler(request, response, () => {
      response.writeHead(404, { "Content-Type": "text/plain" }).end("There is nothing here.\n");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}
