import { readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/*
 * Which drivers Vulkan's loader would find on Linux, by the rules of its documentation (LoaderDriverInterface.md): each is
 * described by a JSON file. Reading them tells, before a library is opened, whether there may be a GPU, and a lavapipe:
 * Mesa's Vulkan device on the CPU.
 */

/** A driver, by the file that describes it. */
export interface Driver {
  readonly file: string;
  /** What the file says. */
  readonly text: string;
  readonly lavapipe: boolean;
}

/** What is read of the machine; tests give another one. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names in a folder; none where it cannot be read. */
  list(folder: string): string[];
  /** A file's text; undefined where it cannot be read. */
  read(file: string): string | undefined;
}

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  env: process.env,
  list(folder) {
    try {
      return readdirSync(folder).sort();
    } catch {
      return [];
    }
  },
  read(file) {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return undefined;
    }
  },
};

/** What tells Vulkan which drivers to use instead of those that it finds. */
export const driverVariables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/** The drivers, in the order in which the loader reads them. */
export function vulkanDrivers(machine: Machine): Driver[] {
  const files = namedFiles(machine) ?? [
    ...paths(machine.env.VK_ADD_DRIVER_FILES).flatMap((path) => filesAt(path, machine)),
    ...driverFolders(machine.env).flatMap((folder) => filesAt(folder, machine)),
  ];
  return [...new Set(files)].flatMap((file) => {
    const text = machine.read(file);
    const library = text && libraryOf(text);
    return library ? [{ file, text, lavapipe: /vulkan_lvp[^/]*$/.test(library) }] : [];
  });
}

/**
 * Whether it is worth while to ask Dawn for a GPU: it takes a driver that is not lavapipe and, where nobody named drivers, what
 * such drivers find GPUs by. Without, Dawn and the loader would complain at each start.
 */
export function mayHaveGpu(drivers: readonly Driver[], machine: Machine): boolean {
  if (drivers.every(({ lavapipe }) => lavapipe)) return false;
  return namedFiles(machine) !== undefined || machine.list("/dev").some((name) => GPU_NODE.test(name));
}

/** Linux's own drivers, NVIDIA's, those of WSL, and of boards with an ARM, Imagination or Qualcomm GPU. */
const GPU_NODE = /^(dri|nvidia|nvhost|nvmap|dxg|mali|pvr|kgsl)/;

function namedFiles(machine: Machine): string[] | undefined {
  const named = driverVariables.map((name) => machine.env[name]).find((value) => value);
  return named === undefined ? undefined : paths(named).flatMap((path) => filesAt(path, machine));
}

function driverFolders(env: Machine["env"]): string[] {
  const { HOME } = env;
  const roots = [
    env.XDG_CONFIG_HOME || (HOME && join(HOME, ".config")),
    ...paths(env.XDG_CONFIG_DIRS || "/etc/xdg"),
    "/usr/local/etc",
    "/etc",
    env.XDG_DATA_HOME || (HOME && join(HOME, ".local/share")),
    ...paths(env.XDG_DATA_DIRS || "/usr/local/share:/usr/share"),
  ];
  return roots.flatMap((root) => (root ? [join(root, "vulkan/icd.d")] : []));
}

/** A path of a variable may be a file or a folder of them. */
function filesAt(path: string, machine: Machine): string[] {
  if (path.endsWith(".json")) return [path];
  const names = machine.list(path).filter((name) => name.endsWith(".json"));
  return names.map((name) => join(path, name));
}

function paths(list: string | undefined): string[] {
  return (list ?? "").split(delimiter).filter((path) => path);
}

/** undefined where the text is broken: the loader passes such a file over too. */
function libraryOf(text: string): string | undefined {
  try {
    const { ICD } = JSON.parse(text) as { ICD?: { library_path?: unknown } };
    return typeof ICD?.library_path === "string" ? ICD.library_path : undefined;
  } catch {
    return undefined;
  }
}
