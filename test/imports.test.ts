import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

/* One direction of imports: a place uses those listed with it and itself. Types count as values do. */

const root = fileURLToPath(new URL("..", import.meta.url));
const rooms = ["gpu", "kernels", "autograd", "optim", "model", "rl"].map((room) => `src/${room}`);

/** The rooms of src: each may use those on its left, and from src/model on src/data, which uses none. */
const library: Record<string, readonly string[]> = {
  ...Object.fromEntries(
    rooms.map((room, i) => [room, [...rooms.slice(0, i), ...(i >= rooms.indexOf("src/model") ? ["src/data"] : [])]]),
  ),
  "src/data": [],
  // What only Node has: devices, and all files.
  "src/node": ["src/autograd", "src/model", "src/rl", "src/data"],
  // What only browsers have.
  "src/browser": ["src/rl", "src/data"],
  "src/index.ts": ["src/autograd", "src/optim"],
  "src/node.ts": ["src/index.ts", "src/node"],
  "src/browser.ts": ["src/browser"],
  // What all rooms may use, and which use none: how options and numbers are checked, what lists of any length need.
  "src/check.ts": [],
  "src/numbers.ts": [],
};
const LEAVES = ["src/check.ts", "src/numbers.ts"];

/** What uses the library as its users do, by the names of its entries, and what else each may use. */
const programs: Record<string, readonly string[]> = {
  "demo/tridigits": [],
  // The network and the learner of program and page.
  "demo/learner": ["demo/tridigits"],
  "demo/cli": ["demo/learner", "demo/tridigits"],
  "demo/web": [
    "demo/learner",
    "demo/tridigits",
    "demo/web/shared",
    "demo/web/text",
    "demo/web/ui",
    "demo/web/worker",
    "scripts",
  ],
  "demo/web/shared": [],
  // The words of the page, in the form of the English ones.
  "demo/web/text": [],
  // The screens know of the worker its types alone.
  "demo/web/ui": ["demo/web", "demo/web/shared", "demo/web/text", "demo/web/worker"],
  // The page times the kernels as the bench does.
  "demo/web/worker": ["demo/learner", "demo/tridigits", "demo/web/shared", "bench"],
  bench: ["scripts"],
  "bench/peers": ["bench", "scripts"],
  study: ["demo/cli"],
  examples: ["demo/tridigits"],
};
const places = { ...library, ...programs };
/** The longest place that holds a file. */
const placeOf = (file: string): string =>
  Object.keys(places)
    .filter((place) => file === place || file.startsWith(`${place}/`))
    .sort((a, b) => b.length - a.length)[0] ?? file.split("/")[0]!;

interface Import {
  from: string;
  /** A file of the repository, or what a package is called. */
  to: string;
  /** By `import(…)`, when it is needed. */
  isLazy: boolean;
  isType: boolean;
}

const isSource = (file: string) => /\.tsx?$/.test(file) && !file.includes("node_modules");
const filesIn = (folder: string) =>
  (readdirSync(join(root, folder), { recursive: true }) as string[])
    .map((file) => posix.join(folder, file.replaceAll("\\", "/")))
    .filter(isSource);
const files = ["src", "demo", "bench", "study", "examples"].flatMap(filesIn);
const { paths } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile).config.compilerOptions as {
  paths: Record<string, [string]>;
};
const entries = Object.entries(paths).map(([name, [path]]) => [name, posix.normalize(path)] as const);

const trees = new Map(
  files.map((file) => [
    file,
    ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest),
  ]),
);

function importsOf(from: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, isType: boolean, isLazy = false) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    const { text } = specifier;
    found.push({ from, to: text.startsWith(".") ? posix.join(dirname(from), text) : text, isLazy, isType });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false, true);
    ts.forEachChild(node, visit);
  };
  visit(trees.get(from)!);
  return found;
}

const imports = files.flatMap(importsOf);
const inside = imports.filter(
  ({ to }) => existsSync(join(root, to)) && /^(src|demo|bench|study|examples|test|scripts)\//.test(to),
);
const shown = (list: readonly Import[]) => list.map(({ from, to }) => `${from} → ${to}`);
const isLibrary = (file: string) => file.startsWith("src/");

test("every file belongs to a place", () => {
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => !(placeOf(file) in places))).toEqual([]);
});

test("places import from those listed with them only", () => {
  const wrong = inside.filter(
    ({ from, to }) =>
      placeOf(from) !== placeOf(to) &&
      !(isLibrary(from) && LEAVES.includes(to)) &&
      !places[placeOf(from)]!.includes(placeOf(to)),
  );
  expect(shown(wrong)).toEqual([]);
});

test("programs import the library by its entries, as its users do", () => {
  expect(shown(inside.filter(({ from, to }) => !isLibrary(from) && isLibrary(to)))).toEqual([]);
  const names = entries.map(([name]) => name);
  const unknown = imports.filter(({ to }) => /^handgrad(\/|$)/.test(to) && !names.includes(to));
  expect(shown(unknown)).toEqual([]);
  expect(shown(imports.filter(({ from, to }) => isLibrary(from) && names.includes(to)))).toEqual([]);
});

test("the entries are those of package.json", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    exports: Record<string, { default: string }>;
  };
  const published = Object.entries(exports).filter(([, file]) => typeof file === "object");
  expect(published.map(([name, file]) => [posix.join("handgrad", name), posix.normalize(file.default)]).sort()).toEqual(
    entries.map(([name, file]) => [name, `dist/${file.replace(/\.ts$/, ".js")}`]).sort(),
  );
});

test("nothing outside of src reaches through engine.gpu", () => {
  const found: string[] = [];
  for (const [file, tree] of trees) {
    if (isLibrary(file)) continue;
    const visit = (node: ts.Node): void => {
      if (
        ts.isPropertyAccessExpression(node) &&
        node.name.text === "gpu" &&
        !/navigator\b/.test(node.expression.getText(tree))
      )
        found.push(`${file}: ${node.getText(tree)}`);
      ts.forEachChild(node, visit);
    };
    visit(tree);
  }
  expect(found).toEqual([]);
});

test("screens of the page know the worker's types alone", () => {
  const values = inside.filter(
    ({ from, to, isType }) => placeOf(from) === "demo/web/ui" && placeOf(to) === "demo/web/worker" && !isType,
  );
  expect(shown(values)).toEqual([]);
});

test("there are no cycles, types included", () => {
  const next = new Map<string, string[]>();
  for (const { from, to } of inside) next.set(from, [...(next.get(from) ?? []), to]);
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
  const packages = imports.filter(({ from, to }) => isLibrary(from) && !isLibrary(to));
  const wrong = packages.filter(({ from, to, isLazy, isType }) => {
    if (to.startsWith("wgsl-preprocessor")) return from !== "src/gpu/wgsl.ts";
    if (to === "idb") return placeOf(from) !== "src/browser";
    if (to === "fflate") return from !== "src/data/file/zip.ts" || !(isLazy || isType);
    return placeOf(from) !== "src/node";
  });
  expect(shown(wrong)).toEqual([]);
});

test("the core stays out of the rooms above it", () => {
  const reached = new Set<string>();
  const walk = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { from, to } of inside) if (from === file) walk(to);
  };
  walk("src/index.ts");
  expect(
    [...reached].filter((file) => ["src/model", "src/rl", "src/data", "src/node"].includes(placeOf(file))),
  ).toEqual([]);
});
