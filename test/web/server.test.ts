import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { securityHeaders } from "../../demo/web/policy.ts";
import { serveSite } from "../../demo/web/serve-site.ts";

/* The page's server against whatever may be sent to it: raw bytes, as clients of good and of bad will write them. */

let root: string;
let server: Server;
let port: number;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "handgrad-server-"));
  const site = join(root, "site");
  mkdirSync(join(site, "data"), { recursive: true });
  mkdirSync(join(site, ".git"));
  writeFileSync(join(site, "index.html"), "<!doctype html>the page");
  writeFileSync(join(site, "page.js"), "0123456789");
  writeFileSync(join(site, "empty.css"), "");
  writeFileSync(join(site, "gone.js"), "soon gone");
  writeFileSync(join(site, "data/index.html"), "data");
  for (const secret of ["secret.txt", "site/.hidden", "site/.git/config", "site/_headers"])
    writeFileSync(join(root, secret), "SECRET");
  symlinkSync(join(root, "secret.txt"), join(site, "link.txt"));
  ({ server } = await serveSite(site));
  rmSync(join(site, "gone.js"));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** Sends bytes as they are, and gives what comes back until the server closes, or nothing more is heard. */
const send = (bytes: string | Uint8Array, patience = 2000): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let heard = "";
    socket.setTimeout(patience, () => socket.destroy());
    socket.on("data", (data) => {
      heard += data.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
    socket.write(bytes);
  });

interface Asked {
  method?: string;
  host?: string;
  headers?: Record<string, string>;
}
async function ask(path: string, { method = "GET", host = `127.0.0.1:${port}`, headers = {} }: Asked = {}) {
  const all = Object.entries({ Host: host, Connection: "close", ...headers });
  const text = await send(`${method} ${path} HTTP/1.1\r\n${all.map((line) => `${line.join(": ")}\r\n`).join("")}\r\n`);
  const end = text.indexOf("\r\n\r\n");
  const head = text.slice(0, end);
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1];
  return { status: Number(head.split(" ")[1]), header, body: text.slice(end + 4) };
}

const lives = async () => (await ask("/")).body === "<!doctype html>the page";

describe("a range", () => {
  test.each<[string, number, string]>([
    ["bytes=0-3", 206, "0123"],
    ["bytes=0-0", 206, "0"],
    ["bytes=7-", 206, "789"],
    ["bytes=-2", 206, "89"],
    ["bytes=-99", 206, "0123456789"],
    ["bytes=3-9999999999999", 206, "3456789"],
    ["bytes=10-", 416, "Range Not Satisfiable\n"],
    ["bytes=-0", 416, "Range Not Satisfiable\n"],
    ["bytes=5-2", 200, "0123456789"],
    ["bytes=abc", 200, "0123456789"],
    ["bytes=0-1,3-4", 200, "0123456789"],
    ["lines=0-1", 200, "0123456789"],
    ["bytes=-", 200, "0123456789"],
    ["", 200, "0123456789"],
  ])("%s", async (range, status, body) => {
    const answer = await ask("/page.js", { headers: { Range: range } });
    expect([answer.status, answer.body]).toEqual([status, body]);
    expect(await lives()).toBe(true);
  });
});

describe("every answer carries all headers", () => {
  const expectHeaders = ({ header }: Awaited<ReturnType<typeof ask>>) => {
    for (const [name, value] of Object.entries(securityHeaders)) expect(header(name), name).toBe(value);
  };
  test.each<[string, number, Asked]>([
    ["/", 200, {}],
    ["/page.js", 200, { method: "HEAD" }],
    ["/empty.css", 200, {}],
    ["/nope", 404, {}],
    ["/gone.js", 404, {}],
    ["/data", 301, {}],
    ["/%", 400, {}],
    ["*", 400, {}],
    ["/", 405, { method: "POST" }],
    ["/", 405, { method: "OPTIONS" }],
    ["/", 405, { method: "TRACE" }],
    ["/", 400, { method: "NONSENSE" }],
    ["/", 421, { host: "evil.example" }],
    ["/", 421, { host: "" }],
    ["/", 431, { headers: { Long: "a".repeat(20_000) } }],
    ["/", 405, { method: "PUT", headers: { Expect: "a wonder" } }],
    ["/", 405, { method: "PUT", headers: { Expect: "100-continue", "Content-Length": "5" } }],
    [`evil.example:443`, 405, { method: "CONNECT" }],
    ["ftp://localhost/page.js", 421, {}],
  ])("%s: %i", async (path, status, asked) => {
    const answer = await ask(path, asked);
    expect(answer.status).toBe(status);
    expectHeaders(answer);
    if (status === 405) expect(answer.header("Allow")).toBe("GET, HEAD");
    expect(await lives()).toBe(true);
  });
});

test("answers to the names of this machine alone, with its port", async () => {
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`])
    expect((await ask("/", { host })).status, host).toBe(200);
  for (const host of ["127.0.0.1", "localhost:1", `evil.example:${port}`, `127.0.0.1.evil.example:${port}`, "::1"])
    expect((await ask("/", { host })).status, host).toBe(421);
});

test("the host that an address of its own names counts, and one alone", async () => {
  for (const [line, hosts, status] of [
    [`http://localhost:${port}/page.js`, [`localhost:${port}`], 200],
    [`http://localhost:${port}/page.js`, ["evil.example"], 200],
    ["http://evil.example/page.js", [`localhost:${port}`], 421],
    [`http://evil.example:${port}/page.js`, [`localhost:${port}`], 421],
    [`http://x@localhost:${port}/page.js`, [`localhost:${port}`], 421],
    [`ftp://localhost:${port}/page.js`, [`localhost:${port}`], 400],
    ["/page.js", [`localhost:${port}`, "evil.example"], 400],
    ["/page.js", [`localhost:${port}`, `localhost:${port}`], 400],
  ] as const) {
    const head = hosts.map((host) => `Host: ${host}\r\n`).join("");
    const answer = await send(`GET ${line} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
    expect(answer.split(" ")[1], `${line} of ${hosts}`).toBe(`${status}`);
  }
});

test("a range of what may have changed is answered whole", async () => {
  for (const mark of ['"mark"', "Wed, 21 Oct 2015 07:28:00 GMT"]) {
    const { status, body } = await ask("/page.js", { headers: { Range: "bytes=0-1", "If-Range": mark } });
    expect([status, body]).toEqual([200, "0123456789"]);
  }
});

test("a policy that frames, text as script, and other origins' windows are outside of", async () => {
  const { header } = await ask("/");
  const policy = header("Content-Security-Policy")!;
  for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"])
    expect(policy).toContain(rule);
  expect(policy).not.toMatch(/unsafe|\*/);
});

test.each([
  "/../secret.txt",
  "/..%2fsecret.txt",
  "/%2e%2e/secret.txt",
  "//..//secret.txt",
  "/..%5csecret.txt",
  "/data/..%2f..%2fsecret.txt",
  "/link.txt",
  "/.hidden",
  "/%2ehidden",
  "/.git/config",
  "/_headers",
  "http://127.0.0.1/../secret.txt",
])("%s gives nothing away", async (path) => {
  const { status, body } = await ask(path);
  expect([400, 404, 421]).toContain(status);
  expect(body).not.toContain("SECRET");
});

test("lives after any bytes, paths and headers", async () => {
  const path = fc.oneof(
    fc.webPath(),
    fc.string({ unit: "grapheme" }).map((text) => `/${encodeURIComponent(text)}`),
    fc.string().map((text) => `/${text.replace(/[^!-~]/g, "")}`),
  );
  const header = fc.record({
    name: fc.constantFrom(
      "Range",
      "If-None-Match",
      "Accept-Encoding",
      "Content-Length",
      "Transfer-Encoding",
      "Upgrade",
    ),
    value: fc.oneof(
      fc.string().map((text) => text.replace(/[^ -~]/g, "")),
      fc.tuple(fc.integer(), fc.integer()).map(([a, b]) => `bytes=${a}-${b}`),
    ),
  });
  const method = fc.constantFrom("GET", "HEAD", "POST", "DELETE", "CONNECT");
  const request = fc
    .tuple(method, path, fc.array(header, { maxLength: 3 }))
    .map(([method, path, headers]) =>
      [
        `${method} ${path} HTTP/1.1`,
        `Host: localhost:${port}`,
        ...headers.map(({ name, value }) => `${name}: ${value}`),
        "Connection: close",
        "\r\n",
      ].join("\r\n"),
    );
  const bytes = fc.oneof(request, fc.uint8Array({ minLength: 1, maxLength: 200 }));
  await fc.assert(
    fc.asyncProperty(bytes, async (bytes) => {
      const heard = await send(bytes, 50);
      if (heard !== "") expect(heard).toMatch(/X-Content-Type-Options: nosniff/);
      expect(await lives()).toBe(true);
    }),
    { numRuns: 300 },
  );
});
