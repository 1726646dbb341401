import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { unpackOnce } from "./unpack.ts";

/*
 * npm's `@sparticuz/chromium` carries SwiftShader, a Vulkan device that computes on the CPU, and Vulkan's loader, which finds
 * other drivers. Both are for Linux on x64.
 */

/** The name by which Dawn opens Vulkan. */
const VULKAN = "libvulkan.so.1";
/** The file of SwiftShader that calls itself so. */
const AS_VULKAN = "libvulkan-swiftshader.so";

/**
 * Dawn opens `libvulkan.so.1` by name. SwiftShader is a driver, but answers as Vulkan itself too: loaded under that name it
 * is what Dawn finds, without a loader, settings or variables, in each thread.
 *
 * @returns the file by which Vulkan's loader would find it, if that was open already; undefined where there is none to be had.
 */
export function loadSwiftShader(): string | undefined {
  return withFolder((folder) => {
    load(join(folder, AS_VULKAN));
    return join(folder, "vk_swiftshader_icd.json");
  });
}

/**
 * Opens Vulkan's loader for Dawn, which finds it under its name in the process: the system's, else the packaged one.
 *
 * @returns whether there is one.
 */
export function loadVulkanLoader(): boolean {
  return loads(VULKAN) || (withFolder((folder) => loads(join(folder, VULKAN))) ?? false);
}

/** By what another process may open Vulkan's loader, in that order. */
export function vulkanLoaders(): string[] {
  try {
    return [VULKAN, withFolder((folder) => join(folder, VULKAN)) ?? []].flat();
  } catch {
    return [VULKAN]; // there is no folder to unpack the other into
  }
}

/** Gives the folder with SwiftShader and a Vulkan loader, unpacked; undefined where there is none to be had. */
function withFolder<T>(use: (folder: string) => T): T | undefined {
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
      if (name >= 0) library.write(`${VULKAN}\0`, name);
      writeFileSync(join(folder, AS_VULKAN), library, { mode: 0o755 });
    },
    use,
  });
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
