import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import { cacheFolders, makeCacheFolder } from "./cache.ts";
import { type Driver, driverVariables } from "./drivers.ts";
import { vulkanLoaders } from "./swiftshader.ts";

/*
 * Mesa's lavapipe computes this engine's steps about three times as fast as SwiftShader. Dawn takes it from Mesa 24 on; an older
 * one it refuses with a complaint on stderr, and a broken one may bring the process down. So another process asks first,
 * once for each lavapipe: what it answered is kept in the cache.
 */

/** What a process answered that asked Dawn for an adapter of these drivers, and when. */
interface Answer {
  readonly key: string;
  /** What the adapter calls itself; null where Dawn gives none. */
  readonly adapter: string | null;
  readonly time: number;
}

const FILE = "lavapipe.json";
/** A refusal holds for a day, as what it lay in (a library that lavapipe needs) is not in the key. */
const REFUSED_MS = 24 * 3600_000;
const LONGEST_MS = 30_000;

/**
 * Whether Dawn takes this machine's lavapipe.
 *
 * @param drivers of Vulkan; those that are not lavapipe do not matter.
 * @param options.again ask again where Dawn refused it. Default false.
 * @returns what it calls itself; undefined where there is none, or none that Dawn takes.
 */
export async function findLavapipe(
  drivers: readonly Driver[],
  { again = false }: { again?: boolean } = {},
): Promise<string | undefined> {
  const lavapipes = drivers.filter(({ lavapipe }) => lavapipe);
  if (lavapipes.length === 0) return undefined;
  const key = keyOf(lavapipes);
  const kept = read(key);
  if (kept || (kept === null && !again)) return kept ?? undefined;
  const adapter = await ask(lavapipes.map(({ file }) => file));
  keep({ key, adapter, time: Date.now() });
  return adapter ?? undefined;
}

/** A lavapipe is another one when its description or its library is, where that is named by a path; or with another Dawn. */
function keyOf(lavapipes: readonly Driver[]): string {
  const hash = createHash("sha256").update(readFileSync(join(dirname(dawnModule()), "package.json")));
  for (const { file, text } of lavapipes) {
    const library = (JSON.parse(text) as { ICD: { library_path: string } }).ICD.library_path;
    const path = library.includes("/") ? join(library.startsWith("/") ? "" : dirname(file), library) : file;
    hash.update(`${file}\n${text}\n${changed(file)}\n${changed(path)}\n`);
  }
  return hash.digest("hex");
}

function changed(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

/** undefined where nobody has asked yet. */
function read(key: string): string | null | undefined {
  for (const folder of cacheFolders()) {
    try {
      makeCacheFolder(folder);
      const answer = JSON.parse(readFileSync(join(folder.home, FILE), "utf8")) as Answer;
      if (answer.key !== key) continue;
      if (typeof answer.adapter === "string") return answer.adapter;
      if (answer.adapter === null && Date.now() - answer.time < REFUSED_MS) return null;
    } catch {
      // Not there, or not ours: another folder may do, else it is asked again.
    }
  }
  return undefined;
}

function keep(answer: Answer): void {
  for (const folder of cacheFolders()) {
    try {
      makeCacheFolder(folder);
      const file = join(folder.home, FILE);
      const part = `${file}-${process.pid}-${threadId}`;
      writeFileSync(part, JSON.stringify(answer));
      renameSync(part, file);
      return;
    } catch {
      // Another folder may do, else it is asked again.
    }
  }
}

/** Opens Vulkan's loader as `load` in swiftshader.ts does, then what Dawn needs to make a device. */
const PROBE = `
  const [dawn, ...loaders] = process.argv.slice(1);
  for (const loader of loaders) {
    let fault = "";
    try { process.dlopen({ exports: {} }, loader, 0x1002); } catch (error) { fault = String(error); }
    if (fault.includes("self-register")) break;
  }
  import(dawn).then(async ({ create, globals }) => {
    Object.assign(globalThis, globals);
    const adapter = await create([]).requestAdapter();
    const device = await adapter?.requestDevice();
    process.stdout.write(JSON.stringify(device ? adapter.info.description : null), () => process.exit());
  });
`;

function ask(files: readonly string[]): Promise<string | null> {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: "" };
  for (const name of driverVariables) env[name] = files.join(":");
  const dawn = `file://${dawnModule()}`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["-e", PROBE, "--", dawn, ...vulkanLoaders()],
      { env, timeout: LONGEST_MS, killSignal: "SIGKILL" },
      (error, stdout) => {
        try {
          const adapter: unknown = error ? null : JSON.parse(stdout);
          resolve(typeof adapter === "string" && /llvmpipe|lavapipe/i.test(adapter) ? adapter : null);
        } catch {
          resolve(null);
        }
      },
    );
  });
}

function dawnModule(): string {
  return createRequire(import.meta.url).resolve("webgpu");
}
