import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { checkFlag, checkOptions, type Known } from "../check.ts";
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

/** Options of `openAdapter`. */
export interface AdapterOptions {
  /** Use the software device in any case, such as to repeat a run elsewhere. Default false. */
  software?: boolean;
}
const adapterOptions: Known<AdapterOptions> = { software: true };

/**
 * Opens an adapter in Node: a real GPU where there is one, else the software device of npm's `@sparticuz/chromium`.
 *
 * @param options.software take the software device in any case. Default false.
 * @returns the adapter, for `createEngine({ adapter })`.
 * @throws Error that says what to install where neither is possible.
 * @example const engine = await createEngine({ adapter: await openAdapter({ software: true }) });
 */
export async function openAdapter(options: AdapterOptions = {}): Promise<GPUAdapter> {
  checkOptions("openAdapter", options, adapterOptions);
  const { software = false } = options;
  checkFlag("openAdapter", "software", software);
  const dawn = await importDawn();
  mayHaveGpu ??= hasDriver() && findVulkan();
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
    // Its types say that it gives a GPU for browsers: `globals` is missing there.
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
    if (!Object.hasOwn(globalThis, name))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return dawn;
}

/** `why` begins the error's sentence. */
async function requestSwiftShader(dawn: Dawn, why: string): Promise<GPUAdapter | null> {
  if (!instances.software) {
    if (!loadSwiftShader()) {
      throw new Error(
        process.platform === "linux" && process.arch === "x64"
          ? `openAdapter: ${why}the software device is not installed. Run: npm install @sparticuz/chromium`
          : `openAdapter: ${why}the software device is for Linux on x64, not ${process.platform} ${process.arch}. ` +
              "Install or update the GPU's driver.",
      );
    }
    instances.software = createWithDriver(dawn);
  }
  const adapter = await instances.software.requestAdapter();
  if (!adapter || /swiftshader/i.test(`${adapter.info.description} ${adapter.info.device}`)) return adapter;
  // Only where this process had opened the system's Vulkan before, which then asks for drivers by itself.
  throw new Error(
    `openAdapter: Vulkan gives ${adapter.info.description}, not the software device` +
      (isMainThread
        ? "."
        : `. A worker thread cannot tell it otherwise: open the software device in the main thread first, or start Node with VK_DRIVER_FILES=${driver}.`),
  );
}

/** SwiftShader's description of itself, by which the system's Vulkan would find it. */
let driver: string | undefined;

/**
 * A loader of Vulkan that the system has and that is open already asks the environment for drivers, while Dawn looks for
 * adapters, which it does before the call returns. The variables are put back then, so that child processes find the machine
 * as it is. In a worker thread they are a copy that no library sees, and do nothing.
 */
function createWithDriver(dawn: Dawn): GPU {
  const before = driverVariables.map((name) => process.env[name]);
  for (const name of driverVariables) process.env[name] = driver;
  try {
    return dawn.create([]);
  } finally {
    driverVariables.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  }
}

/**
 * Dawn opens `libvulkan.so.1` by name. SwiftShader is a driver, but answers as Vulkan itself too: loaded under that name it
 * is what Dawn finds, without a loader, settings or variables, in each thread.
 *
 * @returns whether there is one.
 */
function loadSwiftShader(): boolean {
  driver ??= withSwiftShader((folder) => {
    load(join(folder, AS_VULKAN));
    return join(folder, "vk_swiftshader_icd.json");
  });
  return driver !== undefined;
}

/**
 * A container may have a GPU's driver and no Vulkan: then the packaged loader is opened, and Dawn finds it under its name in
 * the process.
 */
function findVulkan(): boolean {
  if (process.platform !== "linux") return true;
  return loads("libvulkan.so.1") || (withSwiftShader((folder) => loads(join(folder, "libvulkan.so.1"))) ?? false);
}

const AS_VULKAN = "libvulkan-swiftshader.so";

/** Gives the folder with SwiftShader and a Vulkan loader, unpacked; undefined where there is none to be had. */
function withSwiftShader<T>(use: (folder: string) => T): T | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  let root: string;
  try {
    root = dirname(dirname(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium"))));
  } catch {
    return undefined;
  }
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return unpackOnce(`swiftshader-${version}`, [join(root, "bin/swiftshader.tar.br")], {
    prepare(folder) {
      const library = readFileSync(join(folder, "libvk_swiftshader.so"));
      const name = library.indexOf("libvk_swiftshader.so\0");
      if (name >= 0) library.write("libvulkan.so.1\0", name);
      writeFileSync(join(folder, AS_VULKAN), library, { mode: 0o755 });
    },
    use,
  });
}

/** Whether it is worth while to look for a GPU: without a driver there is none, and Dawn would warn at every start. */
function hasDriver(): boolean {
  if (process.platform !== "linux") return true;
  return (
    driverVariables.some((name) => process.env[name]) ||
    ["/usr/share", "/usr/local/share", "/etc", "/etc/xdg"].some((at) => existsSync(`${at}/vulkan/icd.d`))
  );
}

function loads(library: string): boolean {
  try {
    load(library);
    return true;
  } catch {
    return false;
  }
}

/** Loads a shared library for good, with Node's only call that does: it then complains that this is no add-on. */
function load(library: string): void {
  const RTLD_NODELETE = 0x1000;
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    if (!/self-register/.test(String(error))) throw error;
  }
}
