import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { unpackOnce } from "./unpack.ts";

/*
 * WebGPU in Node is Dawn, from npm's `webgpu`. Dawn finds the machine's GPUs by Vulkan, Metal or D3D12. Where there is
 * none it is given SwiftShader, a Vulkan device that computes on the CPU, which npm's `@sparticuz/chromium` carries.
 */

interface Dawn {
  create(flags: string[]): GPU;
  globals: Record<string, unknown>;
}

/** What tells Vulkan which drivers to use. */
const driverVariables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
/** Kept for as long as the process lives: adapters and devices die with the instance that made them. */
const instances: { any?: GPU; software?: GPU } = {};
/** Whether it is worth while to ask Dawn for a GPU: undefined until it is known. */
let mayHaveGpu: boolean | undefined;

/**
 * Opens an adapter: a real GPU where there is one, else the software device.
 *
 * @param options.software use the software device in any case, such as to repeat a run elsewhere.
 * @throws Error that says what to install where neither is possible.
 */
export async function openAdapter({ software = false }: { software?: boolean } = {}): Promise<GPUAdapter> {
  const dawn = await importDawn();
  mayHaveGpu ??= findVulkan(false);
  if (!software && mayHaveGpu) {
    instances.any ??= dawn.create([]);
    const adapter = await instances.any.requestAdapter({ powerPreference: "high-performance" });
    if (adapter) return adapter;
    mayHaveGpu = false;
  }
  const adapter = await requestSwiftShader(dawn, software ? "" : "Dawn finds no GPU on this machine, and ");
  if (!adapter) {
    throw new Error("openAdapter: Dawn does not accept the software device of @sparticuz/chromium. Install 147 of it.");
  }
  return adapter;
}

async function importDawn(): Promise<Dawn> {
  let dawn: Dawn;
  try {
    dawn = (await import("webgpu")) as unknown as Dawn;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND";
    throw new Error(
      missing
        ? "openAdapter: WebGPU in Node comes from the package `webgpu`, which is not installed. Run: npm install webgpu"
        : `openAdapter: the package \`webgpu\` does not load on ${process.platform} ${process.arch}: ${cause}`,
      { cause },
    );
  }
  for (const [name, value] of Object.entries(dawn.globals)) {
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return dawn;
}

/** `why` begins the error's sentence. */
function requestSwiftShader(dawn: Dawn, why: string): Promise<GPUAdapter | null> {
  if (instances.software) return instances.software.requestAdapter();
  const folder = swiftShader();
  if (!folder) {
    throw new Error(
      process.platform === "linux" && process.arch === "x64"
        ? `openAdapter: ${why}the software device is not installed. Run: npm install @sparticuz/chromium`
        : `openAdapter: ${why}the software device is for Linux on x64, not ${process.platform} ${process.arch}. ` +
            "Install or update the GPU's driver.",
    );
  }
  findVulkan(true);
  // Vulkan reads these while Dawn looks for adapters, which it does before the call returns. They are put back then, so
  // that child processes find the machine as it is.
  const before = driverVariables.map((name) => process.env[name]);
  for (const name of driverVariables) process.env[name] = join(folder, "vk_swiftshader_icd.json");
  try {
    instances.software = dawn.create([]);
    return instances.software.requestAdapter();
  } finally {
    driverVariables.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  }
}

/** The folder with SwiftShader and a Vulkan loader, unpacked; undefined where there is none to be had. */
function swiftShader(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  let root: string;
  try {
    root = dirname(dirname(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium"))));
  } catch {
    return undefined;
  }
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return unpackOnce(`swiftshader-${version}`, [join(root, "bin/swiftshader.tar.br")]);
}

/**
 * On Linux, Dawn opens `libvulkan.so.1` by name. Where the system has none (a container may have a GPU's driver and no
 * more), the packaged one is loaded first, and Dawn then finds it under that name in the process.
 */
function findVulkan(forSoftware: boolean): boolean {
  if (process.platform !== "linux" || loads("libvulkan.so.1")) return true;
  // Without a driver there is nothing to find, and Dawn would warn about it at every start.
  const hasDriver =
    driverVariables.some((name) => process.env[name]) ||
    ["/usr/share", "/etc"].some((at) => existsSync(`${at}/vulkan/icd.d`));
  if (!forSoftware && !hasDriver) return false;
  const folder = swiftShader();
  return folder !== undefined && loads(join(folder, "libvulkan.so.1"));
}

/** Loads a shared library for good, with Node's only call that does: it then complains that this is no add-on. */
function loads(library: string): boolean {
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  const RTLD_NODELETE = 0x1000;
  try {
    process.dlopen({ exports: {} }, library, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
    return true;
  } catch (error) {
    return /self-register/.test(String(error));
  }
}
