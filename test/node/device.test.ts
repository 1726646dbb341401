import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { thisMachine, vulkanDrivers } from "../../src/node/drivers.ts";
import { findLavapipe } from "../../src/node/lavapipe.ts";
import { unpackOnce } from "../../src/node/unpack.ts";
import { openAdapter } from "../../src/node.ts";
import { runChild } from "./child.ts";

const compute = `
  import { add, createEngine } from "./src/node.ts";
  const engine = await createEngine({ software: true });
  const a = engine.tensor([1, 2, 3]);
  const y = await engine.step(() => add(a, a));
  console.log(Array.from(await y.data()).join());
`;
const inWorkers = `
  import { isMainThread, Worker } from "node:worker_threads";
  import { fileURLToPath } from "node:url";
  ${compute.replace(
    /const engine[\s\S]*/,
    (rest) => `
  async function work() { ${rest} engine.destroy(); }
  const worker = () => new Promise((resolve) => new Worker(fileURLToPath(import.meta.url)).on("exit", resolve));
  if (!isMainThread) await work();
  else { await worker(); await Promise.all([worker(), worker(), work()]); }`,
  )}`;
const open = 'import { openAdapter } from "./src/node.ts"; await openAdapter({ software: true });';

test("opens an adapter, and another one of the same Dawn", async () => {
  for (const options of [{}, { software: true }, {}, { software: true }]) {
    const adapter = await openAdapter(options);
    const device = await adapter.requestDevice();
    if (options.software) expect(adapter.info.description).toMatch(/SwiftShader|llvmpipe/);
    device.destroy();
  }
});

test("leaves the environment as it was", async () => {
  const before = { ...process.env };
  await openAdapter({ software: true });
  expect({ ...process.env }).toEqual(before);
});

const lavapipe = await findLavapipe(vulkanDrivers(thisMachine));

describe("the software device", () => {
  const name = `
    import { openAdapter } from "./src/node.ts";
    const adapter = await openAdapter({ software: true });
    await adapter.requestDevice();
    console.log(adapter.info.description.split(/\\W/)[0]);
  `;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "handgrad-driver-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string) => join(folder, name);
  const described = '{ "file_format_version": "1.0.0", "ICD": { "library_path": "./libvulkan_lvp.so" } }';
  /** Asks a process that finds the lavapipe of `lvp_icd.json`. */
  const beside = () =>
    runChild(name, { env: { XDG_CACHE_HOME: folder, VK_ICD_FILENAMES: file("lvp_icd.json"), HANDGRAD_SOFTWARE: "" } });
  const answer = () => JSON.parse(readFileSync(file("handgrad/lavapipe.json"), "utf8"));

  test("is SwiftShader without a word where lavapipe does not load, which is asked once", async () => {
    const swiftshader = { code: 0, stdout: "SwiftShader\n", stderr: "" };
    writeFileSync(file("lvp_icd.json"), described);
    expect(await beside()).toEqual(swiftshader);
    const { adapter, time } = answer();
    expect(adapter).toBeNull();
    expect(await beside()).toEqual(swiftshader);
    expect(answer().time).toBe(time);
    writeFileSync(file("libvulkan_lvp.so"), "no library");
    expect(await beside()).toEqual(swiftshader);
    expect(answer().time).toBeGreaterThan(time);
  });

  test("is SwiftShader without a word where lavapipe's description is broken", async () => {
    writeFileSync(file("lvp_icd.json"), "{");
    expect(await beside()).toEqual({ code: 0, stdout: "SwiftShader\n", stderr: "" });
  });

  const wanted = (device: string) => runChild(name, { env: { HANDGRAD_SOFTWARE: device } });

  test("is the one that HANDGRAD_SOFTWARE names, or an error says what there is", async () => {
    expect((await wanted("swiftshader")).stdout).toBe("SwiftShader\n");
    expect((await wanted("lavpipe")).stderr).toContain(
      'openAdapter: HANDGRAD_SOFTWARE is "lavpipe", expected one of lavapipe, swiftshader. Did you mean "lavapipe"?',
    );
    const { stdout, stderr } = await wanted("lavapipe");
    if (!stdout) expect(stderr).toMatch(/HANDGRAD_SOFTWARE is lavapipe, and (Vulkan has|Dawn does).*Mesa 24 or newer/);
  });

  test.runIf(lavapipe)("is lavapipe where Dawn takes it", async () => {
    expect((await wanted("")).stdout).toBe("llvmpipe\n");
    const { code, stdout } = await runChild(inWorkers, { env: { HANDGRAD_SOFTWARE: "" } });
    expect([code, stdout]).toEqual([0, "2,4,6\n".repeat(4)]);
  });
});

describe("a process that computes ends by itself", () => {
  test.each([
    ["with destroy()", `${compute} engine.destroy();`],
    ["without", compute],
    ["with a step still running", `${compute} void engine.step(() => add(a, a));`],
  ])("%s", async (_, source) => {
    expect(await runChild(source)).toEqual({ code: 0, stdout: "2,4,6\n", stderr: "" });
  });
});

describe("says what to install", () => {
  test("where webgpu is missing", async () => {
    const { code, stderr } = await runChild(open, { packages: [] });
    expect(code).toBe(1);
    expect(stderr).toContain("which is not installed. Run: npm install webgpu");
  });

  test("where the software device is missing", async () => {
    const { code, stderr } = await runChild(open, { packages: ["webgpu"] });
    expect(code).toBe(1);
    expect(stderr).toContain("openAdapter: the software device is not installed. Run: npm install @sparticuz/chromium");
  });
});

test("processes that unpack the software device at once all get it whole", async () => {
  const cache = mkdtempSync(join(tmpdir(), "handgrad-cache-"));
  try {
    const env = { XDG_CACHE_HOME: cache };
    const ended = await Promise.all([compute, compute, compute].map((source) => runChild(source, { env })));
    expect(ended.map(({ code, stdout }) => [code, stdout])).toEqual(Array(3).fill([0, "2,4,6\n"]));
    expect(readdirSync(join(cache, "handgrad"))).toEqual([expect.stringMatching(/^swiftshader-[\d.]+$/)]);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});

test("a worker thread computes on the software device, also before the main thread does", async () => {
  expect(await runChild(inWorkers)).toEqual({ code: 0, stdout: "2,4,6\n".repeat(4), stderr: "" });
});

describe("the folder of what was unpacked", () => {
  let cache: string;
  let folder: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), "handgrad-cache-"));
    const archive = join(cache, "hello.br");
    writeFileSync(archive, brotliCompressSync(Buffer.from("hello")));
    vi.stubEnv("XDG_CACHE_HOME", cache);
    folder = unpackOnce("some-1", [archive]);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true, force: true });
  });
  const again = (options = {}) => unpackOnce("some-1", [join(cache, "hello.br")], options);
  const hello = () => join(folder, "hello");

  test("is of the user's cache, and unpacked once", () => {
    expect(folder).toBe(join(cache, "handgrad", "some-1"));
    const { ino } = statSync(hello());
    expect([again(), statSync(hello()).ino]).toEqual([folder, ino]);
  });

  test.each<[string, () => void]>([
    ["a file is missing", () => rmSync(hello())],
    ["a file is cut off", () => truncateSync(hello(), 2)],
    ["a file holds other bytes", () => writeFileSync(hello(), "hollo")],
    [
      "a file is a folder",
      () => {
        rmSync(hello());
        mkdirSync(hello());
      },
    ],
    ["it is as an earlier version left it", () => rmSync(join(folder, "contents.json"))],
    ["its list is cut off", () => truncateSync(join(folder, "contents.json"), 5)],
    [
      "it is a file",
      () => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, "");
      },
    ],
    ["nobody may read a file", () => chmodSync(hello(), 0)],
  ])("is mended where %s", (_, damage) => {
    damage();
    expect(again()).toBe(folder);
    expect(readFileSync(hello(), "utf8")).toBe("hello");
    expect(readdirSync(join(cache, "handgrad"))).toEqual(["some-1"]);
  });

  test("never lies where the program happens to be, whatever the variables say", () => {
    for (const path of ["", "relative", "."]) {
      vi.stubEnv("XDG_CACHE_HOME", path);
      vi.stubEnv("HOME", path);
      vi.stubEnv("TMPDIR", cache);
      expect(again()).toBe(join(cache, `handgrad-${process.getuid?.()}`, "some-1"));
    }
  });

  test("is another where one cannot be used; the error names all, and why", () => {
    vi.stubEnv("TMPDIR", cache);
    const last = join(cache, `handgrad-${process.getuid?.()}`);
    const refused: string[] = [];
    const use = (at: string) => {
      refused.push(at);
      if (refused.length === 1) throw new Error("failed to map segment");
      return at;
    };
    expect(again({ use })).toBe(join(last, "some-1"));
    vi.stubEnv("XDG_CACHE_HOME", join(cache, "hello.br"));
    chmodSync(last, 0o777);
    expect(() => again()).toThrow(
      new RegExp(
        `no folder to unpack some-1 into: ${cache}/hello.br/handgrad .*; ${last} .*by others.*Set XDG_CACHE_HOME`,
      ),
    );
  });
});
