import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/* One direction of imports: each room of `src` may use those on its left, and src/data, which uses none. */

const src = fileURLToPath(new URL("../src", import.meta.url));
const rooms = ["gpu", "kernels", "autograd", "optim", "model", "rl"];

/** Rooms and files that a place may import from, beside itself. */
const allowed: Record<string, readonly string[]> = {
  ...Object.fromEntries(
    rooms.map((room, i) => [room, [...rooms.slice(0, i), ...(i >= rooms.indexOf("model") ? ["data"] : [])]]),
  ),
  data: [],
  // What only Node has: devices, and all files.
  node: ["autograd", "model", "rl", "data"],
  // What only browsers have.
  browser: ["rl", "data"],
  "index.ts": ["autograd", "optim"],
  "node.ts": ["index.ts", "node"],
  "browser.ts": ["browser"],
};

interface Import {
  from: string;
  to: string;
  dynamic: boolean;
}

const files = (readdirSync(src, { recursive: true }) as string[]).filter((file) => file.endsWith(".ts"));
const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), "utf8");
  const found = [
    ...text.matchAll(/^(?:import|export)\b[^;"=(]*\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\b(import)\("([^"]+)"\)/gm),
  ];
  return found.map(([, whole, bare, dynamic, lazy]) => {
    const target = (whole ?? bare ?? lazy)!;
    return {
      from: file.split(sep).join("/"),
      to: target.startsWith(".")
        ? relative(src, join(src, dirname(file), target))
            .split(sep)
            .join("/")
        : target,
      dynamic: dynamic !== undefined,
    };
  });
});
const inside = imports.filter(({ to }) => files.includes(to.split("/").join(sep)));
const room = (file: string) => file.split("/")[0]!;
/** What all rooms may use, and which use none: how options and numbers are checked, what lists of any length need. */
const LEAVES = ["check.ts", "numbers.ts"];

test("rooms import from the left only", () => {
  const wrong = inside.filter(
    ({ from, to }) => !LEAVES.includes(to) && room(from) !== room(to) && !allowed[room(from)]?.includes(room(to)),
  );
  expect(wrong).toEqual([]);
  expect(inside.filter(({ from }) => LEAVES.includes(from))).toEqual([]);
});

test("there are no cycles", () => {
  const next = new Map<string, string[]>();
  for (const { from, to, dynamic } of inside) if (!dynamic) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const to of next.get(file) ?? []) {
      const cycle = walk(to, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of next.keys()) expect(walk(file, [])).toBeUndefined();
});

test("packages: webgpu only in src/node, wgsl-preprocessor only in src/gpu/wgsl.ts, fflate lazily, idb only in src/browser, nothing of Node elsewhere", () => {
  const packages = imports.filter(({ to }) => !to.endsWith(".ts"));
  const wrong = packages.filter(({ from, to, dynamic }) => {
    if (to.startsWith("wgsl-preprocessor")) return from !== "gpu/wgsl.ts";
    if (to === "idb") return room(from) !== "browser";
    if (to === "fflate") return from !== "data/file/zip.ts" || !dynamic;
    if (to.startsWith("node:")) return room(from) !== "node";
    return room(from) !== "node";
  });
  expect(wrong).toEqual([]);
});

test("the core stays out of the rooms above it", () => {
  const reached = new Set<string>();
  const walk = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { from, to } of inside) if (from === file) walk(to);
  };
  walk("index.ts");
  expect([...reached].filter((file) => ["model", "rl", "data", "node"].includes(room(file)))).toEqual([]);
});
