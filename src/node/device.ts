import { isMainThread } from "node:worker_threads";
import { checkFlag, checkName, checkOptions, type Known } from "../check.ts";
import { type Driver, driverVariables, mayHaveGpu, thisMachine, vulkanDrivers } from "./drivers.ts";
import { findLavapipe } from "./lavapipe.ts";
import { loadSwiftShader, loadVulkanLoader } from "./swiftshader.ts";

/*
 * WebGPU in Node is Dawn, from npm's `webgpu`. Dawn finds the machine's GPUs by Vulkan, Metal or D3D12. Where there is
 * none it is given a Vulkan device that computes on the CPU: the system's lavapipe where it takes that, else SwiftShader, which
 * npm's `@sparticuz/chromium` carries.
 */

interface Dawn {
  create(flags: string[]): GPU;
  globals: Record<string, unknown>;
}

/** Kept for as long as the process lives: adapters and devices die with the instance that made them. */
const instances: { gpu?: GPU; lavapipe?: GPU; swiftshader?: GPU } = {};
/** Whether Dawn was asked for a GPU, and found none. */
let noGpu = false;
/** Asked once in a process. */
let lavapipe: Promise<string | undefined> | undefined;

/** Options of `openAdapter`. */
export interface AdapterOptions {
  /** Use a software device in any case, such as to repeat a run elsewhere. Default false. */
  software?: boolean;
}
const adapterOptions: Known<AdapterOptions> = { software: true };

/** `HANDGRAD_SOFTWARE` says which software device is meant, for who repeats a run bit by bit; else the faster one. */
const softwareDevices = ["lavapipe", "swiftshader"] as const;

/**
 * Opens an adapter in Node: a real GPU where there is one, else a software device: the system's lavapipe (Mesa 24 or newer),
 * else the SwiftShader of npm's `@sparticuz/chromium`. `HANDGRAD_SOFTWARE=swiftshader` in the environment, or `lavapipe`, says
 * which of the two.
 *
 * @param options.software take a software device in any case. Default false.
 * @returns the adapter, for `createEngine({ adapter })`.
 * @throws Error that says what to install where neither is possible.
 * @example const engine = await createEngine({ adapter: await openAdapter({ software: true }) });
 */
export async function openAdapter(options: AdapterOptions = {}): Promise<GPUAdapter> {
  checkOptions("openAdapter", options, adapterOptions);
  const { software = false } = options;
  checkFlag("openAdapter", "software", software);
  const wanted = process.env.HANDGRAD_SOFTWARE || undefined;
  if (wanted !== undefined) checkName("openAdapter", "HANDGRAD_SOFTWARE", wanted, softwareDevices);
  const dawn = await importDawn();

  const linux = process.platform === "linux";
  const drivers = linux ? vulkanDrivers(thisMachine) : [];
  const gpu = !linux || mayHaveGpu(drivers, thisMachine);
  if (!software && !noGpu && gpu && (!linux || loadVulkanLoader())) {
    instances.gpu ??= dawn.create([]);
    const others = drivers.filter((driver) => !driver.lavapipe);
    const named = others.length < drivers.length ? others : undefined;
    const adapter = await request(instances.gpu, named, { powerPreference: "high-performance" });
    // In a worker thread it may be lavapipe all the same.
    if (adapter && !(wanted === "swiftshader" && isLavapipe(adapter))) return adapter;
    noGpu = true;
  }

  // Beside a GPU's driver, a worker thread cannot tell Vulkan to take lavapipe.
  if (wanted !== "swiftshader" && (isMainThread || !gpu || noGpu)) {
    lavapipe ??= findLavapipe(drivers, { again: wanted === "lavapipe" });
    const adapter = (await lavapipe) && (await requestLavapipe(dawn, drivers));
    if (adapter) return adapter;
    if (wanted)
      throw new Error(`openAdapter: HANDGRAD_SOFTWARE is lavapipe, ${lavapipeFault(drivers)}. ${GET_LAVAPIPE}`);
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

const GET_LAVAPIPE = "lavapipe comes with Mesa 24 or newer (Debian 13, Ubuntu 24.04): apt install mesa-vulkan-drivers";

function lavapipeFault(drivers: readonly Driver[]): string {
  const files = drivers.filter((driver) => driver.lavapipe).map(({ file }) => file);
  return files.length > 0 ? `and Dawn does not take that of ${files.join(", ")}` : "and Vulkan has no such driver here";
}

/** undefined where this process has opened SwiftShader as its Vulkan before. */
async function requestLavapipe(dawn: Dawn, drivers: readonly Driver[]): Promise<GPUAdapter | undefined> {
  if (!loadVulkanLoader()) return undefined;
  instances.lavapipe ??= dawn.create([]);
  const named = drivers.filter((driver) => driver.lavapipe);
  const adapter = await request(instances.lavapipe, named);
  return adapter && isLavapipe(adapter) ? adapter : undefined;
}

function isLavapipe({ info }: GPUAdapter): boolean {
  return /llvmpipe|lavapipe/i.test(info.description);
}

/** `why` begins the error's sentence. */
async function requestSwiftShader(dawn: Dawn, why: string): Promise<GPUAdapter | null> {
  const file = loadSwiftShader();
  if (!file) throw new Error(`openAdapter: ${why}${noSwiftShader()}`);
  instances.swiftshader ??= dawn.create([]);
  const adapter = await request(instances.swiftshader, [{ file }]);
  if (!adapter || /swiftshader/i.test(`${adapter.info.description} ${adapter.info.device}`)) return adapter;
  // Only where this process had opened the system's Vulkan before, which then asks for drivers by itself.
  throw new Error(
    `openAdapter: Vulkan gives ${adapter.info.description}, not the software device` +
      (isMainThread
        ? "."
        : `. A worker thread cannot tell it otherwise: open the software device in the main thread first, or start Node with VK_DRIVER_FILES=${file}.`),
  );
}

function noSwiftShader(): string {
  if (process.platform !== "linux") {
    return `the software device is for Linux, not ${process.platform} ${process.arch}. Install or update the GPU's driver.`;
  }
  if (process.arch !== "x64") {
    return `SwiftShader is for x64, not ${process.arch}. Install or update the GPU's driver, or lavapipe: ${GET_LAVAPIPE}`;
  }
  return `the software device is not installed. Run: npm install @sparticuz/chromium. A faster one: ${GET_LAVAPIPE}`;
}

/**
 * An instance of Dawn looks for adapters at its first request, before the call returns, and Vulkan's loader then asks the
 * environment for drivers. The variables are put back at once, so that child processes find the machine as it is. In a
 * worker thread they are a copy that no library sees, and do nothing.
 *
 * @param drivers that Vulkan may use; undefined for those that it finds.
 */
function request(
  instance: GPU,
  drivers: readonly Pick<Driver, "file">[] | undefined,
  options: GPURequestAdapterOptions = {},
): Promise<GPUAdapter | null> {
  if (!drivers || !isMainThread) return instance.requestAdapter(options);
  const before = driverVariables.map((name) => process.env[name]);
  for (const name of driverVariables) process.env[name] = drivers.map(({ file }) => file).join(":");
  try {
    return instance.requestAdapter(options);
  } finally {
    driverVariables.forEach((name, i) => {
      if (before[i] === undefined) delete process.env[name];
      else process.env[name] = before[i];
    });
  }
}
