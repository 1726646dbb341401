import { wgsl } from "../gpu/index.ts";
import { type Cell, helpers } from "./cells.ts";
import { each } from "./op.ts";

/*
 * A recurrence that passes the state on through storage. A thread computes 4 hidden units of 4 or 8 examples, so that a
 * number read from the weights serves them all, and one of h all gates.
 */

/** Threads and examples of a workgroup, how many examples a thread takes at a time, and whether four threads share. */
export const ways = {
  tall: { lanes: 16, rows: 8, per: 8, quads: false },
  quads: { lanes: 16, rows: 8, per: 8, quads: true },
  low: { lanes: 64, rows: 8, per: 4, quads: false },
  alone: { lanes: 4, rows: 16, per: 4, quads: false },
};

export interface Variant extends Record<string, boolean | number> {
  lanes: number;
  rows: number;
  per: number;
  /** Four neighbouring threads have the same examples, and each reads h of a quarter of them for all. */
  quads: boolean;
  /** H is a multiple of 4: rows can be read as vec4f. */
  vector: boolean;
  lengths: boolean;
  reverse: boolean;
}

/** How four numbers of a row of H are read and written; `at` counts single numbers. */
const load = (vector: boolean, array: string) => wgsl`
fn load_${array}(at: u32, k: u32) -> T {
#if ${vector}
  return ${array}[(at + k) / 4];
#else
  let i = at + k;
  return select(T(), T(${array}[i], ${array}[i + 1], ${array}[i + 2], ${array}[i + 3]), vec4u(k, k + 1, k + 2, k + 3) < vec4u(s.H));
#endif
}`;
const store = (vector: boolean, array: string) => wgsl`
fn store_${array}(at: u32, k: u32, v: T) {
#if ${vector}
  ${array}[(at + k) / 4] = v;
#else
  for (var i = 0u; i < 4u && k + i < s.H; i++) { ${array}[at + k + i] = v[i]; }
#endif
}`;

const subgroups = /* wgsl */ `
enable subgroups;
// Four threads go through the loops together: their examples are the same.
diagnostic(off, subgroup_uniformity);`;

/** A thread's units u, of four hidden units each. It takes some rows of the workgroup; neighbours take the same units. */
const units = ({ lanes, rows, per }: Variant) =>
  `for (var u = lane / ${rows / per}; u < units; u += ${(lanes * per) / rows})`;

/** The same, where those of a quad go through the loop together, and `mine` says which u is real. */
const unitsTogether = (v: Variant): string =>
  v.quads
    ? `for (var u0 = lane - lane % 4; u0 < units; u0 += ${(v.lanes * v.per) / v.rows}) {
      let u = min(u0 + lane % 4, units - 1);
      let mine = u0 + lane % 4 < units;`
    : `${units(v)} {
      let mine = true;`;

/** Reads `load` of each example into a variable; by quads a quarter of them, which are then told. */
const readEach = ({ per, quads }: Variant, name: string, load: (example: string) => string): string =>
  quads
    ? each(per / 4, (i) => `let own${i} = ${load(`Own${i}`)};`) +
      each(per, (i) => `let ${name}${i} = quadBroadcast(own${i >> 2}, ${i & 3});`)
    : each(per, (i) => `let ${name}${i} = ${load(`${i}`)};`);

/** Where a workgroup has one thread to a few examples, nothing is passed on between threads. */
const barrier = ({ lanes, rows, per }: Variant) => (lanes * per > rows ? "storageBarrier();" : "");
const lengthOf = ({ lengths }: Variant, n: string) => (lengths ? `min(lengths[${n}], s.T)` : "s.T");
const some = (v: Variant, name: string) => each(v.per, (i) => `${name}${i}`).replaceAll("\n", " | ");
const range = ([from, to]: readonly [number, number]) => Array.from({ length: to - from }, (_, i) => from + i);

export const forward = (cell: Cell, v: Variant & { bias: boolean; h0: boolean }): string => {
  const { gates: G, state: S, carried } = cell;
  const outputs = 2 + Number(v.bias) + Number(v.lengths) + Number(v.h0);
  const numbers = v.vector ? "vec4f" : "f32";
  // The weight gradient is a product with all of the state, where 0 times what an unwritten place holds may be NaN.
  const sources = cell.forward.flatMap(({ source }) => (source > 0 ? [source] : []));
  return wgsl`${v.quads ? subgroups : ""}
struct Sizes { N: u32, T: u32, H: u32 }
@group(0) @binding(0) var<storage, read> gx: array<${numbers}>;
@group(0) @binding(1) var<storage, read> w: array<${numbers}>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> b: array<${numbers}>;
#endif
#if ${v.lengths}
@group(0) @binding(${2 + Number(v.bias)}) var<storage, read> lengths: array<u32>;
#endif
#if ${v.h0}
@group(0) @binding(${outputs - 1}) var<storage, read> first_h: array<${numbers}>;
#endif
@group(0) @binding(${outputs}) var<storage, read_write> state: array<${numbers}>;
@group(0) @binding(${outputs + 1}) var<storage, read_write> y: array<${numbers}>;
@group(0) @binding(${outputs + 2}) var<storage, read_write> hidden: array<${numbers}>;
@group(0) @binding(${outputs + 3}) var<uniform> s: Sizes;
${["gx", "w", "state", ...(v.bias ? ["b"] : []), ...(v.h0 ? ["first_h"] : [])].map((array) => load(v.vector, array)).join("")}
${["state", "y", "hidden"].map((array) => store(v.vector, array)).join("")}
${helpers("vec4f")}

@compute @workgroup_size(${v.lanes})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let group = wg.x + wg.y * wgs.x;
  let row = ${S} * H;
  let units = (H + 3) / 4;
  let first = group * ${v.rows} + lane % ${v.rows / v.per} * ${v.per};
  ${units(v)} {
    let j = u * 4;
    for (var n = first; n < min(first + ${v.per}, s.N); n++) {
      for (var k = 0u; k < ${carried}; k++) {
        store_state(n * (s.T + 1) * row + k * H, j, ${v.h0 ? "load_first_h((k * s.N + n) * H, j)" : "T()"});
      }
      ${sources.map((source) => `store_state((n * (s.T + 1) + s.T) * row + ${source} * H, j, T());`).join(" ")}
    }
  }
  for (var step = 0u; step < s.T; step++) {
    ${cell.forward
      .map(({ gates, source, body }, phase) => {
        const own = range(gates);
        const last = phase === cell.forward.length - 1;
        return `${barrier(v)}
    ${unitsTogether(v)}
      let j = u * 4;
      ${v.quads ? each(v.per / 4, (i) => `let atOwn${i} = (min(first + ${4 * i} + lane % 4, s.N - 1) * (s.T + 1) + step) * row + ${source} * H;`) : ""}
      ${each(
        v.per,
        (i) => `let n${i} = min(first + ${i}, s.N - 1);
      let live${i} = step < ${lengthOf(v, `n${i}`)};
      let at${i} = (n${i} * (s.T + 1) + step) * row + ${source} * H;
      ${own.map((g) => `var p${g}_${i} = T();`).join(" ")}`,
      )}
      if (${some(v, "live")}) {
        let j1 = min(j + 1, H - 1); let j2 = min(j + 2, H - 1); let j3 = min(j + 3, H - 1);
        for (var k = 0u; k < H; k += 4) {
          ${readEach(v, "h", (example) => `load_state(at${example}, k)`)}
          ${own
            .map(
              (g) => `{
            let w0 = load_w((${g} * H + j) * H, k); let w1 = load_w((${g} * H + j1) * H, k);
            let w2 = load_w((${g} * H + j2) * H, k); let w3 = load_w((${g} * H + j3) * H, k);
            ${each(v.per, (i) => `p${g}_${i} += T(dot(w0, h${i}), dot(w1, h${i}), dot(w2, h${i}), dot(w3, h${i}));`)}
          }`,
            )
            .join("\n")}
        }
      }
      // From here on one example after another: written out, the rest would take some compilers seconds.
      var sums: array<T, ${own.length * v.per}>;
      ${each(v.per, (i) => own.map((g, at) => `sums[${own.length * i + at}] = p${g}_${i};`).join(" "))}
      ${own.map((g) => `let b${g} = ${v.bias ? `load_b(${g} * H, j)` : "T()"};`).join(" ")}
      for (var example = 0u; example < ${v.per} && first + example < s.N && mine; example++) {
        let n = first + example;
        let length = ${lengthOf(v, "n")};
        let at = (n * (s.T + 1) + step) * row;
        let h = load_state(at, j);
        let live = step < length;
        let t = ${v.reverse ? "select(step, length - 1 - step, live)" : "step"};
        ${last ? "var next = h;" : ""}
        if (live) {
          let x = (n * s.T + t) * ${G} * H;
          ${own.map((g, at) => `let p${g} = sums[${own.length} * example + ${at}];`).join(" ")}
          ${body}
        } ${
          last
            ? `else {
          for (var k = 1u; k < ${carried}; k++) { store_state(at + row + k * H, j, load_state(at + k * H, j)); }
          ${sources.map((source) => `store_state(at + ${source} * H, j, T());`).join(" ")}
        }
        store_state(at + row, j, next);
        store_y((n * s.T + t) * H, j, select(T(), next, live));
        if (step == s.T - 1) {
          store_hidden(n * H, j, next);
          for (var k = 1u; k < ${carried}; k++) { store_hidden((k * s.N + n) * H, j, load_state(at + row + k * H, j)); }
        }`
            : ""
        }
      }
    }`;
      })
      .join("\n    ")}
  }
}`;
};

export const backward = (cell: Cell, v: Variant & { dy: boolean; dhidden: boolean }): string => {
  const { gates: G, state: S, carried } = cell;
  const { body, dx, dp, products } = cell.backward;
  const reads = 2 + Number(v.lengths) + Number(v.dy) + Number(v.dhidden);
  const numbers = v.vector ? "vec4f" : "f32";
  const given = [...(v.dy ? ["dy"] : []), ...(v.dhidden ? ["dhidden"] : [])];
  return wgsl`${v.quads ? subgroups : ""}
struct Sizes { N: u32, T: u32, H: u32 }
@group(0) @binding(0) var<storage, read> state: array<${numbers}>;
@group(0) @binding(1) var<storage, read> w: array<${numbers}>;
#if ${v.lengths}
@group(0) @binding(2) var<storage, read> lengths: array<u32>;
#endif
#if ${v.dy}
@group(0) @binding(${2 + Number(v.lengths)}) var<storage, read> dy: array<${numbers}>;
#endif
#if ${v.dhidden}
@group(0) @binding(${reads - 1}) var<storage, read> dhidden: array<${numbers}>;
#endif
@group(0) @binding(${reads}) var<storage, read_write> dgx: array<${numbers}>;
@group(0) @binding(${reads + 1}) var<storage, read_write> dgh: array<${numbers}>;
@group(0) @binding(${reads + 2}) var<storage, read_write> dh: array<${numbers}>;
@group(0) @binding(${reads + 3}) var<uniform> s: Sizes;
${["state", "w", "dgh", "dh", ...given].map((array) => load(v.vector, array)).join("")}
${["dgx", "dgh", "dh"].map((array) => store(v.vector, array)).join("")}
${helpers("vec4f")}

@compute @workgroup_size(${v.lanes})
fn main(@builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) wgs: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let group = wg.x + wg.y * wgs.x;
  let row = ${S} * H;
  let units = (H + 3) / 4;
  let first = group * ${v.rows} + lane % ${v.rows / v.per} * ${v.per};
  ${units(v)} {
    let j = u * 4;
    for (var n = first; n < min(first + ${v.per}, s.N); n++) {
      for (var k = 0u; k < ${carried}; k++) {
        store_dh((k * s.N + n) * H, j, ${v.dhidden ? "load_dhidden((k * s.N + n) * H, j)" : "T()"});
      }
      for (var g = 0u; g < ${G}; g++) { store_dgh((n * (s.T + 1) + s.T) * ${G} * H + g * H, j, T()); }
    }
  }
  for (var back = 0u; back < s.T; back++) {
    let step = s.T - 1 - back;
    ${units(v)} {
      let j = u * 4;
      for (var n = first; n < min(first + ${v.per}, s.N); n++) {
        let length = ${lengthOf(v, "n")};
        let at = (n * (s.T + 1) + step) * row;
        let live = step < length;
        let t = ${v.reverse ? "select(step, length - 1 - step, live)" : "step"};
        let gx = (n * s.T + t) * ${G} * H;
        let gh = (n * (s.T + 1) + step) * ${G} * H;
        ${[...new Set([...dx, ...dp])].map((name) => `var ${name} = T();`).join(" ")}
        if (live) {
          var d = load_dh(n * H, j);
          ${v.dy ? "d += load_dy((n * s.T + t) * H, j);" : ""}
          ${body}
        }
        ${dx.map((name, g) => `store_dgx(gx + ${g} * H, j, ${name});`).join(" ")}
        ${dp.map((name, g) => `store_dgh(gh + ${g} * H, j, ${name});`).join(" ")}
      }
    }
    ${products
      .map(
        ({ gates: [from, to], body }) => `${barrier(v)}
    ${unitsTogether(v)}
      let j = u * 4;
      ${v.quads ? each(v.per / 4, (i) => `let ghOwn${i} = (min(first + ${4 * i} + lane % 4, s.N - 1) * (s.T + 1) + step) * ${G} * H;`) : ""}
      ${each(
        v.per,
        (i) => `let n${i} = min(first + ${i}, s.N - 1);
      let live${i} = (first + ${i} < s.N) & (step < ${lengthOf(v, `n${i}`)});
      let gh${i} = (n${i} * (s.T + 1) + step) * ${G} * H;
      var e${i} = T();`,
      )}
      if (${some(v, "live")}) {
        for (var g = ${from}u; g < ${to}; g++) {
          for (var k = 0u; k < H; k += 4) {
            let first_w = (g * H + k) * H;
            let last_w = ${G} * H * H - H;
            let w0 = load_w(first_w, j); let w1 = load_w(min(first_w + H, last_w), j);
            let w2 = load_w(min(first_w + 2 * H, last_w), j); let w3 = load_w(min(first_w + 3 * H, last_w), j);
            ${readEach(v, "q", (example) => `load_dgh(gh${example} + g * H, k)`)}
            ${each(v.per, (i) => `e${i} += q${i}.x * w0 + q${i}.y * w1 + q${i}.z * w2 + q${i}.w * w3;`)}
          }
        }
      }
      ${each(
        v.per,
        (i) => `if (live${i} & mine) {
        let n = n${i}; let e = e${i}; let gh = gh${i};
        let at = (n * (s.T + 1) + step) * row;
        let gx = (n * s.T + ${v.reverse ? `${lengthOf(v, "n")} - 1 - step` : "step"}) * ${G} * H;
        ${body}
      }`,
      )}
    }`,
      )
      .join("\n    ")}
  }
}`;
};
