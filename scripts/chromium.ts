import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { type Browser, chromium, type LaunchOptions } from "playwright-core";
import { unpackOnce } from "../src/node/unpack.ts";

/**
 * The headless Chromium of npm's `@sparticuz/chromium`, on its software device. The libraries that a bare system lacks
 * (nspr, nss, expat), and a font, come with the package too.
 */
const launchChromium = (): Promise<Browser> => chromium.launch(chromiumOptions());

/** How that Chromium is launched: for `chromium.launch` and `chromium.launchPersistentContext` of playwright-core. */
export function chromiumOptions(): LaunchOptions {
  // Not by the package's own `executablePath()`, which takes another process's half-written file for a browser.
  const root = dirname(dirname(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium"))));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const archives = ["chromium.br", "swiftshader.tar.br", "al2023.tar.br", "fonts.tar.br"].map((name) =>
    join(root, "bin", name),
  );
  const folder = unpackOnce(`chromium-${version}-with-fonts`, archives);
  return {
    executablePath: join(folder, "chromium"),
    args: [
      "--no-sandbox",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
      "--use-angle=swiftshader",
      // On a busy machine the software device may be slower than the watchdog is patient.
      "--disable-gpu-watchdog",
    ],
    env: { ...process.env, LD_LIBRARY_PATH: join(folder, "lib"), ...fonts(folder) } as Record<string, string>,
  };
}

/** Without a configuration of fonts Chromium ends at the first letter that it is to show: where the system has none, ours. */
function fonts(folder: string): { FONTCONFIG_FILE?: string } {
  if (existsSync("/etc/fonts/fonts.conf")) return {};
  const file = join(folder, "fonts-of-the-package.conf");
  if (!existsSync(file)) {
    const cache = join(folder, "fonts-cache");
    const part = `${file}.${process.pid}`;
    writeFileSync(part, `<fontconfig><dir>${join(folder, "fonts")}</dir><cachedir>${cache}</cachedir></fontconfig>\n`);
    renameSync(part, file);
  }
  return { FONTCONFIG_FILE: file };
}

export interface Page {
  /** Calls a function that the bundle put on `window`, and gives its result. */
  call<T>(name: string, ...args: unknown[]): Promise<T>;
  /** What the page wrote to its console as an error, and errors that nobody caught. */
  readonly errors: readonly string[];
  /** Loads the page anew, as a person would; what it stored stays. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Bundles `entry` for the browser, serves it from this machine, and opens it. */
export async function openPage(entry: string): Promise<Page> {
  const bundle = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "chrome130",
    write: false,
    external: ["node:*"],
    logLevel: "error",
  });
  const script = bundle.outputFiles[0]!.text;
  const server = createServer((request, response) => {
    const isScript = request.url === "/script.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(
      isScript
        ? script
        : '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/script.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await launchChromium();
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  return {
    errors,
    async call<T>(name: string, ...args: unknown[]): Promise<T> {
      await page.waitForFunction((name) => Object.hasOwn(globalThis, name), name);
      return page.evaluate(
        ([name, args]) => (globalThis as never as Record<string, (...args: unknown[]) => unknown>)[name]!(...args),
        [name, args] as const,
      ) as Promise<T>;
    },
    async reload() {
      await page.reload();
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}
