import { describe, expect, test } from "vitest";
import { type Machine, mayHaveGpu, vulkanDrivers } from "../../src/node/drivers.ts";

const driver = (library: string) => JSON.stringify({ ICD: { library_path: library } });

/** A machine with these files, and nothing else. */
function machine(files: Record<string, string>, env: Machine["env"] = {}): Machine {
  return {
    env,
    list: (folder) =>
      Object.keys(files)
        .filter((file) => file.startsWith(`${folder}/`) && !file.slice(folder.length + 1).includes("/"))
        .map((file) => file.slice(folder.length + 1)),
    read: (file) => files[file],
  };
}

const share = "/usr/share/vulkan/icd.d";
const mesa = {
  [`${share}/lvp_icd.json`]: driver("libvulkan_lvp.so"),
  [`${share}/radeon_icd.json`]: driver("/usr/lib/libvulkan_radeon.so"),
  [`${share}/README`]: "",
};
const found = (of: Machine) => vulkanDrivers(of).map(({ file, lavapipe }) => `${file}${lavapipe ? " lavapipe" : ""}`);

describe("Vulkan's drivers", () => {
  test("are those of its folders, the user's before the system's", () => {
    const files = {
      ...mesa,
      "/me/.local/share/vulkan/icd.d/mine.json": driver("libmine.so"),
      "/etc/vulkan/icd.d/a.json": driver("a"),
    };
    expect(found(machine(files, { HOME: "/me" }))).toEqual([
      "/etc/vulkan/icd.d/a.json",
      "/me/.local/share/vulkan/icd.d/mine.json",
      `${share}/lvp_icd.json lavapipe`,
      `${share}/radeon_icd.json`,
    ]);
    expect(found(machine({}))).toEqual([]);
  });

  test("are those of the folders that XDG's variables name", () => {
    const files = { ...mesa, "/data/vulkan/icd.d/a.json": driver("a"), "/config/vulkan/icd.d/b.json": driver("b") };
    expect(found(machine(files, { XDG_DATA_DIRS: "/data:/more", XDG_CONFIG_HOME: "/config" }))).toEqual([
      "/config/vulkan/icd.d/b.json",
      "/data/vulkan/icd.d/a.json",
    ]);
  });

  test.each(["VK_DRIVER_FILES", "VK_ICD_FILENAMES"])("are those of %s alone where it is set", (name) => {
    const files = { ...mesa, "/my/lvp.x86_64.json": driver("/my/libvulkan_lvp.so"), "/our/b.json": driver("b") };
    expect(found(machine(files, { [name]: "/my/lvp.x86_64.json:/our" }))).toEqual([
      "/my/lvp.x86_64.json lavapipe",
      "/our/b.json",
    ]);
    expect(found(machine(mesa, { [name]: "/not/there.json" }))).toEqual([]);
    expect(found(machine(mesa, { [name]: "" }))).toHaveLength(2);
  });

  test("may be added to by VK_ADD_DRIVER_FILES", () => {
    const files = { ...mesa, "/my/a.json": driver("a") };
    expect(found(machine(files, { VK_ADD_DRIVER_FILES: "/my/a.json" }))[0]).toBe("/my/a.json");
  });

  test.each(["", "{", "[]", '{ "ICD": null }', '{ "ICD": { "library_path": 1 } }'])(
    "are not files that say %j",
    (text) => {
      expect(found(machine({ [`${share}/lvp_icd.json`]: text }))).toEqual([]);
    },
  );
});

describe("there may be a GPU", () => {
  const asked = (of: Machine) => mayHaveGpu(vulkanDrivers(of), of);

  test("where a driver stands beside a device of Linux", () => {
    expect(asked(machine(mesa))).toBe(false);
    for (const node of ["dri", "nvidiactl", "dxg"])
      expect(asked(machine({ ...mesa, [`/dev/${node}`]: "" }))).toBe(true);
    expect(asked(machine({ "/dev/dri": "" }))).toBe(false);
  });

  test("not where the only driver is lavapipe", () => {
    const files = { "/dev/dri": "", [`${share}/lvp_icd.json`]: driver("libvulkan_lvp.so") };
    expect(asked(machine(files))).toBe(false);
  });

  test("where somebody names a driver", () => {
    expect(asked(machine(mesa, { VK_DRIVER_FILES: `${share}/radeon_icd.json` }))).toBe(true);
    expect(asked(machine(mesa, { VK_DRIVER_FILES: `${share}/lvp_icd.json` }))).toBe(false);
  });
});
