import { expect, test } from "vitest";
import { minifyShaders } from "../../scripts/minify-wgsl.mjs";
import { kernel, wgsl } from "../../src/gpu/index.ts";

/* The directives of the `wgsl` tag beside `#if`, and what `kernel` makes of a whole shader. */

const lines = (text: string) => text.split("\n").flatMap((line) => line.trim() || []);
const code = (text: string) => lines(kernel("test", () => text)({}).code);

test("#unroll repeats its lines, $i being the number", () => {
  const text = wgsl`
before
#unroll i in ${3}
  let row$i = min(first + $i, last); // $i
#end
after`;
  expect(lines(text)).toEqual([
    "before",
    "let row0 = min(first + 0, last); // 0",
    "let row1 = min(first + 1, last); // 1",
    "let row2 = min(first + 2, last); // 2",
    "after",
  ]);
  expect(lines(wgsl`#unroll i in ${0} a$i #end rest`)).toEqual(["rest"]);
});

test("#unroll may be nested, and $(…) computes a number from several", () => {
  const text = wgsl`
#unroll i in ${2}
  let a$i = 0;
#unroll j in ${2}
  c$i_$j += a$(2 * i + j)[$((i + j) / 2)] - $(j % 2);
#end
#end`;
  expect(lines(text)).toEqual([
    "let a0 = 0;",
    "c0_0 += a0[0] - 0;",
    "c0_1 += a1[0] - 1;",
    "let a1 = 0;",
    "c1_0 += a2[0] - 0;",
    "c1_1 += a3[1] - 1;",
  ]);
});

test("$(…) computes as arithmetic does", () => {
  const cases: Record<string, number> = {
    "i / 2 * 3": 9,
    "2 * (i - 3) + 1": 9,
    "i - 2 - 1": 4,
    "1 + 2 * (3 + i)": 21,
    "(1 + i) % 3 + 10 - (2 + 3)": 7,
    "9 - i / 2": 6,
  };
  for (const [terms, value] of Object.entries(cases))
    expect(wgsl`#unroll i in [${[7]}] $(${terms}) #end`).toBe(`${value}`);
});

test("#unroll takes the words of a list, and names of more than a letter", () => {
  expect(lines(wgsl`#unroll array in [${["gx", "w"]}, b] fn load_$array(); #end`)).toEqual([
    "fn load_gx();",
    "fn load_w();",
    "fn load_b();",
  ]);
  expect(lines(wgsl`#unroll i in [1, 4] x$i; $in #end`)).toEqual(["x1; $in", "x4; $in"]);
  // As the published package has it, without needless space.
  expect(lines(wgsl`#unroll i in[1,4]x$i;#end`)).toEqual(["x1;", "x4;"]);
});

test("snippets may unroll, also by a name that the shader around them unrolls", () => {
  const store = "#unroll j in 2\n y$i_$j;\n#end";
  expect(lines(wgsl`#unroll i in ${2} ${store} #end`)).toEqual(["y0_0;", "y0_1;", "y1_0;", "y1_1;"]);
  const named = wgsl`#unroll name in [${["g$m"]}] var $name = 0; #end`;
  expect(lines(wgsl`#unroll m in ${2} ${named} #end`)).toEqual(["var g0 = 0;", "var g1 = 0;"]);
});

test("#if goes before #unroll, whatever is within what", () => {
  const text = (yes: boolean) => wgsl`
#unroll i in ${2}
#if ${yes}
  a$i;
#else
  b$i;
#endif
#end
#if ${!yes}
#unroll i in ${1}
  c$i;
#end
#endif`;
  expect(lines(text(true))).toEqual(["a0;", "a1;"]);
  expect(lines(text(false))).toEqual(["b0;", "b1;", "c0;"]);
});

test("directives that do not fit together are refused", () => {
  expect(() => wgsl`#unroll i in ${2} a$i`).toThrow('wgsl: "#unroll i in 2 a$i" has no #end, or');
  expect(() => wgsl`#unroll i in ${2} #unroll j in ${2} a #end`).toThrow(/"#unroll i in 2 .*has no #end/);
  expect(() => wgsl`a #end`).toThrow("wgsl: #end without an #unroll before it.");
  expect(() => wgsl`#unroll i in n a$i #end`).toThrow(
    /"#unroll i in n a\$i #end" has no #end, or is not of the form "#unroll i in 4"/,
  );
  expect(() => wgsl`#unroll 2 in ${2} a #end`).toThrow(/not of the form/);
  expect(() => wgsl`#unroll i in ${2} a$(i - 1) #end`).toThrow("wgsl: $(0 - 1) is no whole number of at least 0.");
  expect(() => wgsl`#unroll i in ${2} a$(i + ) #end`).toThrow("is no whole number");
  expect(() => kernel("test", () => wgsl`#unroll i in ${1} a$j #end`)({})).toThrow(
    "test: $j stands outside of its #unroll.",
  );
});

test("@binding(_) is numbered in the order of the text, snippets included", () => {
  const snippet = wgsl`@group(0) @binding(_) var b;`;
  const text = (bias: boolean) => wgsl`
@group(0) @binding(_) var a;
#if ${bias}
${snippet}
#endif
@group(0) @binding(_) var c;`;
  expect(code(text(true))).toEqual([
    "@group(0) @binding(0) var a;",
    "@group(0) @binding(1) var b;",
    "@group(0) @binding(2) var c;",
  ]);
  expect(code(text(false))).toEqual(["@group(0) @binding(0) var a;", "@group(0) @binding(1) var c;"]);
  expect(() => code("@binding(_) @binding(3)")).toThrow(
    "test: some bindings are @binding(_) and others have numbers, expected one of the two.",
  );
});

test("a kernel that asks for its group gets the prelude, others and those with a Group of their own do not", () => {
  expect(code("fn main(group: Group) {}")).toContain(
    "fn groupIndex(group: Group) -> u32 { return group.id.x + group.id.y * group.count.x; }",
  );
  expect(code("fn main() {}")).toEqual(["fn main() {}"]);
  expect(code("struct Group { n: u32 }")).toEqual(["struct Group { n: u32 }"]);
});

test("directives work where the white space of shaders was taken out", () => {
  const source = [
    "const rendered = (n) => wgsl`",
    "  #unroll i in $" + "{n}",
    "    let $name$i = a$(i / 2) [ $i ];",
    "    #if $" + "{true}",
    "      { x$i }",
    "    #endif",
    "  #end",
    "  return",
    "`;",
  ].join("\n");
  const short = minifyShaders(source);
  expect(short).toBe(
    "const rendered = (n) => wgsl` #unroll i in $" +
      "{n} let $name$i=a$(i/2)[$i];#if $" +
      "{true}{x$i}#endif #end return `;",
  );
  const render = new Function("wgsl", `${short} return rendered(2);`) as (tag: typeof wgsl) => string;
  expect(render(wgsl).replace(/\s+/g, " ")).toBe(" let $name0=a0[0];{x0} let $name1=a0[1];{x1} return ");
});
