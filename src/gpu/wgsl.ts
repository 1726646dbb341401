// @ts-expect-error The package has no types; the signature below is its whole interface.
import { wgsl as chosen } from "wgsl-preprocessor/wgsl-preprocessor.js";
import { describe } from "../check.ts";

/** What `${…}` of the `wgsl` tag inserts; a list is for `#unroll name in ${list}`. */
export type Inserted = string | number | boolean | readonly (string | number)[];

/**
 * The template tag of every shader. `${…}` inserts; directives stand on lines of their own and may be nested:
 *
 *   #if ${…} … #elif ${…} … #else … #endif    takes one of the parts
 *   #unroll i in ${n} … #end                  repeats the part for i = 0 … n − 1. In it `$i` is the number, also within a
 *                                             name (`row$i`), and `$(4 * i + j)` what whole numbers give, `/` rounding down
 *   #unroll name in [x, y] … #end             repeats it for each word of a list
 *
 * Loops over registers are unrolled, since an array of them would live in memory.
 *
 * @returns the WGSL.
 * @throws TypeError where something else is inserted, Error where `#if` and `#endif` or `#unroll` and `#end` do not match, or
 * `$(…)` is no whole number.
 * @example
 * const sum = wgsl`
 *   var sum = 0.0;
 *   #unroll i in ${4}
 *     sum += x[4 * row + $i];
 *   #end`;
 */
export function wgsl(strings: TemplateStringsArray, ...values: readonly Inserted[]): string {
  if (!Array.isArray(strings?.raw))
    throw new TypeError(`wgsl: it is the tag of a template, wgsl\`…\`, and was called with ${describe(strings)}.`);
  values.forEach((value, i) => {
    const wrong = typeof value === "boolean" ? undefined : [value].flat().find((item) => !isInsertable(item));
    if (wrong !== undefined || value === undefined)
      throw new TypeError(
        `wgsl: \${…} ${i + 1} inserts ${describe(wrong)}, expected a text, a finite number, true, false, or a list of texts and numbers.`,
      );
  });
  return unrolled(withConditions(strings, ...values));
}

const isInsertable = (item: unknown): boolean => typeof item === "string" || Number.isFinite(item);

/** The text with what its `#if`s choose. */
function withConditions(strings: TemplateStringsArray, ...values: readonly Inserted[]): string {
  try {
    return (chosen as typeof wgsl)(strings, ...values);
  } catch (error) {
    throw new Error(`wgsl: ${(error as Error).message}. An #if ends with #endif, an #unroll with #end.`);
  }
}

/** An `#unroll` without another in it: its name, its list, its body. */
const INNERMOST = /#unroll\s+([a-zA-Z]+)\s+in\b\s*(\d+(?![\d.])|\[[^\]]*\])((?:(?!#unroll\b|#end\b)[\s\S])*)#end\b/g;

function unrolled(text: string): string {
  let [now, before] = [text, ""];
  while (now !== before) {
    before = now;
    now = now.replace(INNERMOST, (_, name: string, list: string, body: string) =>
      itemsOf(list)
        .map((item) => substituted(body.trim(), name, item))
        .join("\n"),
    );
  }
  const [left] = now.match(/#(unroll|end)\b.*/) ?? [];
  if (left?.startsWith("#end")) throw new Error("wgsl: #end without an #unroll before it.");
  if (left)
    throw new Error(`wgsl: "${left}" has no #end, or is not of the form "#unroll i in 4" or "#unroll name in [x, y]".`);
  return now;
}

/** 0 … n − 1, or the words of a list, which may name what is unrolled around it. */
const itemsOf = (list: string): string[] =>
  list.startsWith("[") ? (list.match(/[\w$]+/g) ?? []) : Array.from({ length: Number(list) }, (_, i) => `${i}`);

/** The body with an item for `$name`; what is in `$(…)` is computed once all of its names have their numbers. */
const substituted = (body: string, name: string, item: string): string =>
  body
    .replace(new RegExp(`\\$${name}(?![a-zA-Z0-9])`, "g"), () => item)
    .replace(/\$\(((?:[^()]|\([^()]*\))*)\)/g, (_, terms: string) => {
      const filled = terms.replace(new RegExp(`\\b${name}\\b`, "g"), () => item);
      return /[a-zA-Z]/.test(filled) ? `$(${filled})` : computed(filled);
    });

/** The value of + − * / % and brackets over whole numbers: a number out of its brackets, else a product, else a sum. */
function computed(terms: string): string {
  let [now, before] = [terms.replace(/\s/g, ""), ""];
  const value = (_: string, left: string, sign: string, right: string) => {
    const [a, b] = [Number(left), Number(right)];
    const all: Record<string, number> = { "*": a * b, "/": Math.floor(a / b), "%": a % b, "+": a + b, "-": a - b };
    return `${all[sign]}`;
  };
  while (now !== before) {
    before = now;
    now = now.replace(/\((\d+)\)/, "$1");
    if (now === before) now = now.replace(/(\d+)([*/%])(\d+)/, value);
    if (now === before) now = now.replace(/(\d+)([-+])(\d+)(?![\d*/%])/, value);
  }
  if (!/^\d+$/.test(now)) throw new Error(`wgsl: $(${terms}) is no whole number of at least 0.`);
  return now;
}

/** What every kernel may use: where a thread is, as `grid` folds many workgroups into two dimensions. */
const prelude = /* wgsl */ `
struct Group { @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) count: vec3u }
fn groupIndex(group: Group) -> u32 { return group.id.x + group.id.y * group.count.x; }
`;

/**
 * The text that a device compiles: `@binding(_)` numbered in the order of the text, and with the prelude where it is used.
 *
 * @throws Error naming the kernel where bindings are numbered in two ways, or `$name` stands outside of an `#unroll`
 */
export function complete(label: string, text: string): string {
  const [stray] = text.match(/\$\(?\w*/) ?? [];
  if (stray) throw new Error(`${label}: ${stray} stands outside of its #unroll.`);
  let bindings = 0;
  const numbered = text.replaceAll("@binding(_)", () => `@binding(${bindings++})`);
  if (bindings > 0 && /@binding\(\d/.test(text))
    throw new Error(`${label}: some bindings are @binding(_) and others have numbers, expected one of the two.`);
  return /\bGroup\b/.test(text) && !/\bstruct Group\b/.test(text) ? numbered + prelude : numbered;
}
