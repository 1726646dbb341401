import { createReadStream } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import { type Duplex, pipeline } from "node:stream";
import { securityHeaders } from "./policy.ts";
import { rangeOf, type SiteFile, siteFiles } from "./site-files.ts";

/** What is answered to what never becomes a request; 400 to all else. */
const broken: ReadonlyMap<string | undefined, number> = new Map([
  ["HPE_HEADER_OVERFLOW", 431],
  ["ERR_HTTP_REQUEST_TIMEOUT", 408],
]);

const ALLOWED = "GET, HEAD";
const OUR_NAMES = ["127.0.0.1", "localhost", "[::1]"];

/**
 * Serves the built page on this machine alone, with its policy as headers. Every answer has them, errors as well, and no
 * request ends the server. Port 0 takes a free one.
 */
export async function serveSite(folder: string, port = 0): Promise<{ url: string; server: Server }> {
  const files = siteFiles(folder);
  const listen = (request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    response.setHeader("Cache-Control", "no-store");
    // Who goes away in the middle of an answer is no fault of ours.
    request.on("error", () => {});
    response.on("error", () => {});
    try {
      answer(request, response, files);
    } catch {
      refuse(response, 500);
    }
  };
  // Left to Node, a request without a host, or with an expectation, is refused without these headers, a body that is never
  // read is asked for, and a tunnel is closed without an answer.
  const server = createServer({ requireHostHeader: false }, listen);
  server.on("checkExpectation", listen).on("checkContinue", listen);
  server.on("connect", (_, socket) => refuseUnread(socket, 405, { Allow: ALLOWED }));
  // What is not HTTP at all, and headers that are too large, never become a request.
  server.on("clientError", (error: NodeJS.ErrnoException, socket) =>
    refuseUnread(socket, broken.get(error.code) ?? 400),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

function answer(request: IncomingMessage, response: ServerResponse, files: ReadonlyMap<string, SiteFile>): void {
  const file = fileFor(request, response, files);
  if (!file) return;
  // Files have no marks to compare: what is asked for "if it is still the same" is sent whole.
  const range = request.headers["if-range"] === undefined ? rangeOf(request.headers.range, file.size) : undefined;
  if (range === null) {
    response.setHeader("Content-Range", `bytes */${file.size}`);
    refuse(response, 416);
    return;
  }
  const [first, last] = range ?? [0, file.size - 1];
  const part = range ? { "Content-Range": `bytes ${first}-${last}/${file.size}` } : {};
  const headers = { "Content-Type": file.type, "Content-Length": last - first + 1, "Accept-Ranges": "bytes", ...part };
  if (request.method === "HEAD" || file.size === 0) {
    response.writeHead(range ? 206 : 200, headers).end();
    return;
  }
  const stream = createReadStream(file.file, { start: first, end: last });
  // A file that is gone by now is answered as one that was never there.
  stream.once("error", () => (response.headersSent ? response.destroy() : refuse(response, 404)));
  stream.once("open", () => {
    response.writeHead(range ? 206 : 200, headers);
    pipeline(stream, response, () => {});
  });
}

/** The file that a request asks for. Where it may have none it is answered, and undefined given. */
function fileFor(
  request: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, SiteFile>,
): SiteFile | undefined {
  const [host, ...others] = hostsOf(request);
  if (others.length > 0) {
    refuse(response, 400, "A request names one host.");
    return;
  }
  if (!isOurs(host, request)) {
    refuse(response, 421, "This server answers to this machine's own names alone.");
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", ALLOWED);
    response.setHeader("Connection", "close");
    refuse(response, 405, "Only GET and HEAD are answered.");
    return;
  }
  const address = addressOf(request.url ?? "/");
  if (address === undefined) {
    refuse(response, 400);
    return;
  }
  const found = files.get(address);
  if (found) return found;
  if (files.has(`${address}/`)) {
    response.setHeader("Location", encodeURI(`${address}/`));
    refuse(response, 301);
  } else refuse(response, 404, "There is nothing here.");
  return;
}

/** The hosts that a request names. What `GET http://…/` says counts in the place of its headers (RFC 9112, 3.2.2). */
function hostsOf({ url = "", rawHeaders }: IncomingMessage): readonly string[] {
  const named = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1];
  const headers = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === "host");
  return named !== undefined && headers.length < 2 ? [named] : headers;
}

/** Whether a host is this machine. Another name that leads here is a page elsewhere that wants in (DNS rebinding). */
function isOurs(host: string | undefined, { socket }: IncomingMessage): boolean {
  const port = socket.localPort;
  const found = host?.toLowerCase();
  return OUR_NAMES.some((name) => found === `${name}:${port}` || (port === 80 && found === name));
}

/** The path that a request asks for, without what follows `?`; undefined where it is none. */
function addressOf(url: string): string | undefined {
  try {
    // What stands before the path in "GET http://…/" is left away, as is what "//name" would make of it.
    const { pathname, protocol } = new URL(url.startsWith("/") ? `http://localhost${url}` : url);
    return protocol === "http:" ? decodeURIComponent(pathname) : undefined;
  } catch {
    return undefined;
  }
}

function refuse(response: ServerResponse, status: number, text = STATUS_CODES[status] ?? ""): void {
  const length = Buffer.byteLength(text) + 1;
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", "Content-Length": length });
  response.end(`${text}\n`);
}

/** Answers what nobody reads as a request, on its bare connection. */
function refuseUnread(socket: Duplex, status: number, more: Readonly<Record<string, string>> = {}): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const headers = Object.entries({ ...securityHeaders, ...more, "Content-Length": "0", Connection: "close" });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.on("error", () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}\r\n`);
}
