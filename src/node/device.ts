import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/*
 * WebGPU in Node is Dawn, from npm's `webgpu`. Dawn finds the machine's GPUs by Vulkan, Metal or D3D12. Where there is
 * none it is given SwiftShader, a Vulkan device that computes on the CPU, which npm's `@sparticuz/chromium` carries.
 */

interface Dawn {
  create(flags: string[]): GPU;
  globals: Record<string, unknown>;
}

/** Kept for as long as the process lives: adapters and devices die with the instance that made them. */
const instances = new Map<"any" | "software", GPU>();

async function instance(kind: "any" | "software"): Promise<GPU> {
  let gpu = instances.get(kind);
  if (!gpu) {
    const { create, globals } = await importDawn();
    for (const [name, value] of Object.entries(globals)) {
      if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
    gpu = create([]);
    instances.set(kind, gpu);
  }
  return gpu;
}

async function importDawn(): Promise<Dawn> {
  try {
    return (await import("webgpu")) as unknown as Dawn;
  } catch (cause) {
    throw new Error(
      "createEngine: the package `webgpu` cannot be loaded. Install it beside handgrad: npm install webgpu",
      { cause },
    );
  }
}

/**
 * Opens an adapter: a real GPU where there is one, else the software device.
 *
 * @param options.software use the software device in any case, such as to repeat a run elsewhere.
 * @throws Error that says what to install where neither is possible.
 */
export async function openAdapter({ software = false }: { software?: boolean } = {}): Promise<GPUAdapter> {
  // On Linux Dawn reaches GPUs by Vulkan alone: without its loader there is none to be found, but a warning.
  if (!software && (process.platform !== "linux" || hasVulkanLoader())) {
    const adapter = await (await instance("any")).requestAdapter({ powerPreference: "high-performance" });
    if (adapter) return adapter;
  }
  const why = useSwiftShader();
  const adapter = await (await instance("software")).requestAdapter();
  if (adapter) return adapter;
  throw new Error(
    "createEngine: there is no GPU that Dawn can use, and no software device either" +
      `${why ? ` (${why})` : ""}. Install one: npm install @sparticuz/chromium`,
  );
}

/** Points Vulkan at SwiftShader. Must come before the instance is made. Returns why it could not. */
function useSwiftShader(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "the packaged one is for Linux on x64";
  let archive: string;
  try {
    const require = createRequire(import.meta.url);
    archive = join(dirname(require.resolve("@sparticuz/chromium")), "../../bin/swiftshader.tar.br");
    for (let folder = dirname(archive); !existsSync(archive) && folder !== "/"; folder = dirname(folder)) {
      archive = join(folder, "bin/swiftshader.tar.br");
    }
  } catch {
    return "the package @sparticuz/chromium is not installed";
  }
  const folder = unpackOnce(archive, "swiftshader");
  process.env.VK_ICD_FILENAMES = join(folder, "vk_swiftshader_icd.json");
  loadVulkanLoader(folder);
  return undefined;
}

/**
 * Unpacks a `.tar.br` into a folder of this user's under the system's temporary one, once for all processes: into a
 * folder of its own first, which is then renamed, so that nobody meets half of it.
 */
export function unpackOnce(archive: string, name: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(archive), "../package.json"), "utf8")) as {
    version: string;
  };
  const home = join(tmpdir(), `handgrad-${userInfo().uid}`);
  const folder = join(home, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const part = mkdtempSync(join(home, `${name}-`));
  unpackTar(brotliDecompressSync(readFileSync(archive)), part);
  try {
    renameSync(part, folder);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Files and folders of a tar archive: 512-byte headers with a name, an octal size and a type, each before its data. */
function unpackTar(tar: Buffer, folder: string): void {
  const text = (at: number, length: number) => tar.toString("utf8", at, at + length).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const prefix = text(at + 345, 155);
    const path = prefix ? `${prefix}/${text(at, 100)}` : text(at, 100);
    const size = Number.parseInt(text(at + 124, 12), 8) || 0;
    const type = String.fromCharCode(tar[at + 156]!);
    const to = join(folder, path);
    if (!to.startsWith(folder)) throw new Error(`the archive holds a path outside of it: ${path}`);
    if (type === "5") mkdirSync(to, { recursive: true });
    else if (type === "0" || type === "\0") {
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, tar.subarray(at + 512, at + 512 + size), { mode: 0o755 });
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/**
 * Dawn opens `libvulkan.so.1` by name. Where the system has none, the archive's is loaded first, under which name Dawn
 * then finds it in the process.
 */
function loadVulkanLoader(folder: string): void {
  if (hasVulkanLoader()) return;
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  const RTLD_NODELETE = 0x1000;
  try {
    process.dlopen({ exports: {} }, join(folder, "libvulkan.so.1"), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch {
    // Node reports that this is no Node add-on, after having loaded it.
  }
}

function hasVulkanLoader(): boolean {
  try {
    return execFileSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" }).includes("libvulkan.so.1");
  } catch {
    return false;
  }
}
