import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import { append, largest, smallest, textOfCodes } from "../../src/numbers.ts";

/*
 * Two habits that work until somebody's data are larger or stranger, looked for in the text of the whole repository:
 *   f(...list)        puts the list on the stack, which ends at some hundred thousand numbers
 *   name in object    is true of "toString", whatever the object holds; so is object[name]
 */

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = ["src", "demo", "bench", "study", "examples", "scripts"].flatMap((folder) =>
  (readdirSync(join(root, folder), { recursive: true }) as string[])
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file) && !file.includes("node_modules"))
    .map((file) => join(folder, file)),
);

/** What is spread that has a length of its own, known where it is written. */
const short = new Set([
  "src/gpu/submission.ts: ...grid",
  "src/gpu/measure.ts: ...grid",
  "src/gpu/profile.ts: ...grid",
  // Settings that a program's author writes.
  "src/data/image/pipeline.ts: ...key",
]);
/** Files that call other engines with the few tensors of a layer. */
const peers = ["bench/peers/jax.ts", "bench/peers/tfjs.ts"];

function faultsOf(name: string, text: string): string[] {
  const kind = name.endsWith(".tsx") ? ts.ScriptKind.TSX : name.endsWith(".mjs") ? ts.ScriptKind.JS : ts.ScriptKind.TS;
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, kind);
  const faults: string[] = [];
  const isShort = (list: ts.Expression): boolean => {
    if (ts.isParenthesizedExpression(list) || ts.isAsExpression(list)) return isShort(list.expression);
    if (ts.isConditionalExpression(list)) return isShort(list.whenTrue) && isShort(list.whenFalse);
    return ts.isArrayLiteralExpression(list) && !list.elements.some(ts.isSpreadElement);
  };
  /** Whether a function around this takes `...name`: what it was given came by the stack already. */
  const isRest = (node: ts.Node, name: string): boolean => {
    for (let at: ts.Node | undefined = node; at; at = at.parent)
      if (ts.isFunctionLike(at) && at.parameters.some((p) => p.dotDotDotToken && p.name.getText() === name))
        return true;
    return false;
  };
  const walk = (node: ts.Node): void => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      for (const given of node.arguments ?? []) {
        if (peers.includes(name) || !ts.isSpreadElement(given) || isShort(given.expression)) continue;
        if (isRest(node, given.expression.getText()) || short.has(`${name}: ${given.getText()}`)) continue;
        faults.push(`${name}: ${node.getText().slice(0, 80)}`);
      }
    }
    if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InKeyword) {
      // A name that is written there, such as of a variant, is not from outside.
      const isWritten = ts.isStringLiteral(node.left) || /^Symbol\.\w+$/.test(node.left.getText());
      if (!isWritten) faults.push(`${name}: ${node.getText().slice(0, 80)}`);
    }
    ts.forEachChild(node, walk);
  };
  walk(file);
  return faults;
}

test("no list of any length is spread into arguments, and no name from outside is asked for by `in`", () => {
  expect(files.length).toBeGreaterThan(250);
  expect(files.flatMap((file) => faultsOf(file, readFileSync(join(root, file), "utf8")))).toEqual([]);
});

test.each([
  ["Math.max(...list)", 1],
  ["records.push(...more, 1)", 1],
  ["new Set(...lists)", 1],
  ["String.fromCharCode(...bytes.subarray(0, n))", 1],
  ["f(...[...list])", 1],
  ["f(...[1, 2], ...(x ? [3] : []))", 0],
  ["const f = (...all: number[]) => Math.max(...all)", 0],
  ["[...list, ...more]", 0],
  ["name in table", 1],
  ["table.x in other", 1],
  ['"quads" in ways || Symbol.iterator in list', 0],
  ["for (const name in table) f(name)", 0],
])("%s: %i", (text, faults) => {
  expect(faultsOf("test.ts", text)).toHaveLength(faults);
});

test("lists of a million", () => {
  const list = Float64Array.from({ length: 1e6 }, (_, i) => (i * 7919) % 1000003);
  expect(largest(list)).toBe(list.reduce((a, b) => Math.max(a, b)));
  expect(smallest(list)).toBe(0);
  const all = [1];
  append(all, list);
  expect(all.length).toBe(1e6 + 1);
  expect(textOfCodes(new Uint8Array(1e6).fill(65)).length).toBe(1e6);
  expect([largest([]), smallest([])]).toEqual([-Infinity, Infinity]);
  expect([largest([1, Number.NaN, 2]), smallest([1, Number.NaN])]).toEqual([Number.NaN, Number.NaN]);
});
