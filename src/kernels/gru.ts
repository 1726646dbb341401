import { type Dispatch, type Kernel, kernel, type Recording, wgsl } from "../gpu/index.ts";
import * as shared from "./gruShared.ts";
import { matrixProduct } from "./matmul.ts";
import { each, expect, expectFloat, expectRank, fresh, type Op, reshaped, show, type Value } from "./op.ts";

/*
 * GRU over a sequence x [N, T, I], PyTorch's: gates in the order r, z, n, the reset gate after the recurrent product.
 *   r = σ(Wᵢᵣ x + bᵢᵣ + Wₕᵣ h + bₕᵣ)        w_ih [3H, I], w_hh [3H, H], b_ih, b_hh [3H]
 *   z = σ(Wᵢz x + bᵢz + Wₕz h + bₕz)
 *   n = tanh(Wᵢₙ x + bᵢₙ + r ⊙ (Wₕₙ h + bₕₙ))
 *   h′ = (1 − z) ⊙ n + z ⊙ h
 * output [N, T, H] holds h after each time (0 from `lengths[n]` on), hidden [N, H] the last one of each example. An
 * example's h does not change from its length on, so padding never changes a result. `reverse` reads from its end.
 *
 * Wᵢ x + bᵢ is one matrix product over all times. The recurrence is one dispatch each way, whatever T is: a workgroup
 * takes some examples through all of their steps. What the way back needs lies in `state` [N, T + 1, 5H], in the order
 * of steps: h before the step, then r, z, n, and Wₕₙ h + bₕₙ.
 *
 * There are five ways. Those of this file pass h on through `state`; a thread computes 4 hidden units of 4 or 8
 * examples, so that a number read from the weights serves them all, and one of h 12 gates:
 *   tall    8 examples a workgroup and a thread: the fewest reads, best on devices that compute on the CPU
 *   quads   the same, where four neighbouring threads, of the same examples, tell each other what they read of them
 *   low     8 examples a workgroup, 4 a thread: for large hidden sizes on GPUs
 *   alone   a thread computes all units of its 4 examples: no barriers, for devices where they are slow and batches large
 *   shared  h in workgroup memory (gruShared.ts), for GPUs; up to 512 units
 */

interface Variant extends Record<string, boolean | number> {
  /** Threads of a workgroup; the examples that they share; how many of these one thread takes at a time. */
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

/** How four numbers of a row of H are read and written; \`at\` counts single numbers. */
const fours = (vector: boolean) => ({
  type: vector ? "vec4f" : "f32",
  load: (array: string) => wgsl`
fn load_${array}(at: u32, k: u32) -> vec4f {
#if ${vector}
  return ${array}[(at + k) / 4];
#else
  let i = at + k;
  return select(vec4f(), vec4f(${array}[i], ${array}[i + 1], ${array}[i + 2], ${array}[i + 3]), vec4u(k, k + 1, k + 2, k + 3) < vec4u(s.H));
#endif
}`,
  store: (array: string) => wgsl`
fn store_${array}(at: u32, k: u32, v: vec4f) {
#if ${vector}
  ${array}[(at + k) / 4] = v;
#else
  for (var i = 0u; i < 4u && k + i < s.H; i++) { ${array}[at + k + i] = v[i]; }
#endif
}`,
});

const sigmoid = /* wgsl */ `fn sigmoid(x: vec4f) -> vec4f { return 1 / (1 + exp(-x)); }`;

/** A loop over units u of four hidden units: those of a quad go through it together, and `mine` says which u is real. */
const eachUnit = ({ lanes, rows, per, quads }: Variant): string => {
  const stride = (lanes * per) / rows;
  return quads
    ? `for (var u0 = lane - lane % 4; u0 < units; u0 += ${stride}) {
      let u = min(u0 + lane % 4, units - 1);
      let mine = u0 + lane % 4 < units;`
    : `for (var u = lane / ${rows / per}; u < units; u += ${stride}) {
      let mine = true;`;
};

/** Reads `load` of each example into a variable; by quads a quarter of them, which are then told. */
const readEach = ({ per, quads }: Variant, name: string, load: (example: string) => string): string =>
  quads
    ? each(per / 4, (i) => `let own${i} = ${load(`Own${i}`)};`) +
      each(per, (i) => `let ${name}${i} = quadBroadcast(own${i >> 2}, ${i & 3});`)
    : each(per, (i) => `let ${name}${i} = ${load(`${i}`)};`);

const subgroups = /* wgsl */ `
enable subgroups;
// Four threads go through the loops together: their examples are the same.
diagnostic(off, subgroup_uniformity);`;

const forward = kernel("gru", (v: Variant & { bias: boolean; h0: boolean }) => {
  const { type, load, store } = fours(v.vector);
  const outputs = 2 + Number(v.bias) + Number(v.lengths) + Number(v.h0);
  return wgsl`${v.quads ? subgroups : ""}
struct Sizes { N: u32, T: u32, H: u32 }
@group(0) @binding(0) var<storage, read> gx: array<${type}>;
@group(0) @binding(1) var<storage, read> w: array<${type}>;
#if ${v.bias}
@group(0) @binding(2) var<storage, read> b: array<${type}>;
#endif
#if ${v.lengths}
@group(0) @binding(${2 + Number(v.bias)}) var<storage, read> lengths: array<u32>;
#endif
#if ${v.h0}
@group(0) @binding(${outputs - 1}) var<storage, read> h0: array<${type}>;
#endif
@group(0) @binding(${outputs}) var<storage, read_write> state: array<${type}>;
@group(0) @binding(${outputs + 1}) var<storage, read_write> y: array<${type}>;
@group(0) @binding(${outputs + 2}) var<storage, read_write> hidden: array<${type}>;
@group(0) @binding(${outputs + 3}) var<uniform> s: Sizes;
${load("gx")}
${load("w")}
${v.bias ? load("b") : ""}
${v.h0 ? load("h0") : ""}
${load("state")}
${store("state")}
${store("y")}
${store("hidden")}
${sigmoid}

@compute @workgroup_size(${v.lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let units = (H + 3) / 4;
  // A lane takes some rows of the workgroup and every so many units of four; neighbours take the same units.
  let first = group.x * ${v.rows} + lane % ${v.rows / v.per} * ${v.per};
  for (var u = lane / ${v.rows / v.per}; u < units; u += ${(v.lanes * v.per) / v.rows}) {
    let j = u * 4;
    for (var n = first; n < min(first + ${v.per}, s.N); n++) {
      store_state(n * (s.T + 1) * 5 * H, j, ${v.h0 ? "load_h0(n * H, j)" : "vec4f()"});
    }
  }
  for (var step = 0u; step < s.T; step++) {
#if ${v.lanes * v.per > v.rows}
    storageBarrier();
#endif
    ${eachUnit(v)}
      let j = u * 4;
      ${v.quads ? each(v.per / 4, (i) => `let atOwn${i} = (min(first + ${4 * i} + lane % 4, s.N - 1) * (s.T + 1) + step) * 5 * H;`) : ""}
      ${each(
        v.per,
        (i) => `let n${i} = min(first + ${i}, s.N - 1);
      let length${i} = ${v.lengths ? `min(lengths[n${i}], s.T)` : "s.T"};
      let at${i} = (n${i} * (s.T + 1) + step) * 5 * H;
      var r${i} = vec4f(); var z${i} = vec4f(); var c${i} = vec4f();`,
      )}
      if (${each(v.per, (i) => `(step < length${i})`).replaceAll("\n", " | ")}) {
        let j1 = min(j + 1, H - 1); let j2 = min(j + 2, H - 1); let j3 = min(j + 3, H - 1);
        for (var k = 0u; k < H; k += 4) {
          ${readEach(v, "h", (example) => `load_state(at${example}, k)`)}
          ${["r", "z", "c"]
            .map(
              (gate, g) => `{
            let w0 = load_w((${g} * H + j) * H, k); let w1 = load_w((${g} * H + j1) * H, k);
            let w2 = load_w((${g} * H + j2) * H, k); let w3 = load_w((${g} * H + j3) * H, k);
            ${each(v.per, (i) => `${gate}${i} += vec4f(dot(w0, h${i}), dot(w1, h${i}), dot(w2, h${i}), dot(w3, h${i}));`)}
          }`,
            )
            .join("\n")}
        }
      }
      // From here on one example after another: written out, the rest would take some compilers seconds.
      var sums: array<vec4f, ${3 * v.per}>;
      ${each(v.per, (i) => `sums[${3 * i}] = r${i}; sums[${3 * i + 1}] = z${i}; sums[${3 * i + 2}] = c${i};`)}
      ${["r", "z", "n"].map((gate, g) => `let b${gate} = ${v.bias ? `load_b(${g} * H, j)` : "vec4f()"};`).join(" ")}
      for (var i = 0u; i < ${v.per} && first + i < s.N && mine; i++) {
        let n = first + i;
        let length = ${v.lengths ? "min(lengths[n], s.T)" : "s.T"};
        let at = (n * (s.T + 1) + step) * 5 * H;
        let h = load_state(at, j);
        if (step < length) {
          let t = ${v.reverse ? "length - 1 - step" : "step"};
          let x = (n * s.T + t) * 3 * H;
          let r = sigmoid(load_gx(x, j) + sums[3 * i] + br);
          let z = sigmoid(load_gx(x + H, j) + sums[3 * i + 1] + bz);
          let c = sums[3 * i + 2] + bn;
          let new_ = tanh(clamp(load_gx(x + 2 * H, j) + r * c, vec4f(-15), vec4f(15)));
          let next = (1 - z) * new_ + z * h;
          store_state(at + H, j, r);
          store_state(at + 2 * H, j, z);
          store_state(at + 3 * H, j, new_);
          store_state(at + 4 * H, j, c);
          store_state(at + 5 * H, j, next);
          store_y((n * s.T + t) * H, j, next);
          if (step == s.T - 1) { store_hidden(n * H, j, next); }
        } else {
          store_state(at + 5 * H, j, h);
          store_y((n * s.T + step) * H, j, vec4f());
          if (step == s.T - 1) { store_hidden(n * H, j, h); }
        }
      }
    }
  }
}`;
});

/**
 * From dy and dhidden to the gradients of Wᵢ x + bᵢ (`dgx` [N, T, 3H], by time) and of Wₕ h + bₕ (`dgh` [N, T + 1, 3H],
 * by step, with a row of zeros at the end to match `state`), and of h0 (`dh`, where dL/dh is kept on the way).
 */
const backward = kernel("gru.backward", (v: Variant & { dy: boolean; dhidden: boolean }) => {
  const { type, load, store } = fours(v.vector);
  const reads = 2 + Number(v.lengths) + Number(v.dy) + Number(v.dhidden);
  return wgsl`${v.quads ? subgroups : ""}
struct Sizes { N: u32, T: u32, H: u32 }
@group(0) @binding(0) var<storage, read> state: array<${type}>;
@group(0) @binding(1) var<storage, read> w: array<${type}>;
#if ${v.lengths}
@group(0) @binding(2) var<storage, read> lengths: array<u32>;
#endif
#if ${v.dy}
@group(0) @binding(${2 + Number(v.lengths)}) var<storage, read> dy: array<${type}>;
#endif
#if ${v.dhidden}
@group(0) @binding(${reads - 1}) var<storage, read> dhidden: array<${type}>;
#endif
@group(0) @binding(${reads}) var<storage, read_write> dgx: array<${type}>;
@group(0) @binding(${reads + 1}) var<storage, read_write> dgh: array<${type}>;
@group(0) @binding(${reads + 2}) var<storage, read_write> dh: array<${type}>;
@group(0) @binding(${reads + 3}) var<uniform> s: Sizes;
${load("state")}
${load("w")}
${v.dy ? load("dy") : ""}
${v.dhidden ? load("dhidden") : ""}
${load("dgh")}
${load("dh")}
${store("dgx")}
${store("dgh")}
${store("dh")}

@compute @workgroup_size(${v.lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let H = s.H;
  let units = (H + 3) / 4;
  // A lane takes some rows of the workgroup and every so many units of four; neighbours take the same units.
  let first = group.x * ${v.rows} + lane % ${v.rows / v.per} * ${v.per};
  for (var u = lane / ${v.rows / v.per}; u < units; u += ${(v.lanes * v.per) / v.rows}) {
    let j = u * 4;
    for (var n = first; n < min(first + ${v.per}, s.N); n++) {
      store_dh(n * H, j, ${v.dhidden ? "load_dhidden(n * H, j)" : "vec4f()"});
      for (var g = 0u; g < 3; g++) { store_dgh((n * (s.T + 1) + s.T) * 3 * H + g * H, j, vec4f()); }
    }
  }
  for (var back = 0u; back < s.T; back++) {
    let step = s.T - 1 - back;
    for (var u = lane / ${v.rows / v.per}; u < units; u += ${(v.lanes * v.per) / v.rows}) {
      let j = u * 4;
      for (var n = first; n < min(first + ${v.per}, s.N); n++) {
        let length = ${v.lengths ? "min(lengths[n], s.T)" : "s.T"};
        let at = (n * (s.T + 1) + step) * 5 * H;
        let live = step < length;
        let t = ${v.reverse ? "select(step, length - 1 - step, live)" : "step"};
        let gx = (n * s.T + t) * 3 * H;
        let gh = (n * (s.T + 1) + step) * 3 * H;
        var dr = vec4f(); var dz = vec4f(); var dn = vec4f(); var dc = vec4f();
        if (live) {
          var d = load_dh(n * H, j);
          ${v.dy ? "d += load_dy((n * s.T + t) * H, j);" : ""}
          let h = load_state(at, j);
          let r = load_state(at + H, j);
          let z = load_state(at + 2 * H, j);
          let c = load_state(at + 3 * H, j);
          let m = load_state(at + 4 * H, j);
          dn = d * (1 - z) * (1 - c * c);
          dz = d * (h - c) * z * (1 - z);
          dr = dn * m * r * (1 - r);
          dc = dn * r;
          store_dh(n * H, j, d * z);
        }
        store_dgx(gx, j, dr); store_dgx(gx + H, j, dz); store_dgx(gx + 2 * H, j, dn);
        store_dgh(gh, j, dr); store_dgh(gh + H, j, dz); store_dgh(gh + 2 * H, j, dc);
      }
    }
#if ${v.lanes * v.per > v.rows}
    storageBarrier();
#endif
    // dh += dgh · w_hh
    ${eachUnit(v)}
      let j = u * 4;
      ${v.quads ? each(v.per / 4, (i) => `let ghOwn${i} = (min(first + ${4 * i} + lane % 4, s.N - 1) * (s.T + 1) + step) * 3 * H;`) : ""}
      ${each(
        v.per,
        (i) => `let n${i} = min(first + ${i}, s.N - 1);
      let live${i} = (first + ${i} < s.N) & (step < ${v.lengths ? `min(lengths[n${i}], s.T)` : "s.T"});
      let gh${i} = (n${i} * (s.T + 1) + step) * 3 * H;
      var d${i} = vec4f();`,
      )}
      if (${each(v.per, (i) => `live${i}`).replaceAll("\n", " | ")}) {
        for (var g = 0u; g < 3; g++) {
          for (var k = 0u; k < H; k += 4) {
            let row = (g * H + k) * H;
            let w0 = load_w(row, j); let w1 = load_w(min(row + H, (3 * H - 1) * H), j);
            let w2 = load_w(min(row + 2 * H, (3 * H - 1) * H), j); let w3 = load_w(min(row + 3 * H, (3 * H - 1) * H), j);
            ${readEach(v, "q", (example) => `load_dgh(gh${example} + g * H, k)`)}
            ${each(v.per, (i) => `d${i} += q${i}.x * w0 + q${i}.y * w1 + q${i}.z * w2 + q${i}.w * w3;`)}
          }
        }
      }
      ${each(v.per, (i) => `if (live${i} & mine) { store_dh(n${i} * H, j, load_dh(n${i} * H, j) + d${i}); }`)}
    }
  }
}`;
});

/** Threads and examples of a workgroup, and how many examples a thread takes at a time. */
const storageWays = {
  tall: { lanes: 16, rows: 8, per: 8, quads: false },
  quads: { lanes: 16, rows: 8, per: 8, quads: true },
  low: { lanes: 64, rows: 8, per: 4, quads: false },
  alone: { lanes: 4, rows: 16, per: 4, quads: false },
};

/** Records a recurrence in one of its ways; `dispatch` takes the kernel and how many examples its workgroup takes. */
function choose(
  r: Recording,
  family: string,
  { N, H }: { N: number; H: number },
  throughStorage: (way: (typeof storageWays)["tall"]) => Kernel,
  throughMemory: (way: ReturnType<typeof shared.fitted>) => Kernel,
  work: Omit<Dispatch, "kernel" | "grid">,
): void {
  const record = (kernel: () => Kernel, rows: number) => (r: Recording) =>
    r.dispatch({ kernel: kernel(), grid: [Math.ceil(N / rows), 1, 1], ...work });
  const fitted = shared.fitted(H);
  const fits = H <= shared.MOST;
  const ways = {
    ...Object.fromEntries(
      Object.entries(storageWays)
        .filter(([, { quads }]) => !quads || r.features.has("subgroups"))
        .map(([name, way]) => [name, record(() => throughStorage(way), way.rows)]),
    ),
    ...(fits ? { shared: record(() => throughMemory(fitted), fitted.rows) } : {}),
  };
  const forGpu = fits ? "shared" : "low";
  r.choose(family, `H ${H}`, ways, {
    software: "quads" in ways ? "quads" : "tall",
    integrated: forGpu,
    discrete: forGpu,
  });
}

export interface GruOptions {
  /** Read each example from its end to its beginning. */
  reverse?: boolean | undefined;
}

/** Inputs: x, w_ih, w_hh, b_ih, b_hh, lengths [N] (optional), h0 [N, H] (optional). Outputs: output, hidden. */
export const gru: Op<GruOptions> = (r, [x, wih, whh, bih, bhh, lengths, h0], { reverse = false }) => {
  expectFloat("gru", "x", x!);
  expectRank("gru", "x", x!, 3, "[N, T, I]");
  const [N, T, I] = x!.shape as [number, number, number];
  expectRank("gru", "w_hh", whh!, 2, "[3H, H]");
  const H = whh!.shape[1]!;
  for (const [name, value, shape] of [
    ["w_ih", wih!, [3 * H, I]],
    ["w_hh", whh!, [3 * H, H]],
    ["b_ih", bih, [3 * H]],
    ["b_hh", bhh, [3 * H]],
  ] as const) {
    if (!value) continue;
    expectFloat("gru", name, value);
    expect(
      show(value) === show(shape),
      "gru",
      () => `${name} is ${show(value)}, expected ${show(shape)} as x is ${show(x!)} and w_hh ${show(whh!)}.`,
    );
  }
  expect(
    (bih === undefined) === (bhh === undefined),
    "gru",
    () => "one bias is given and the other is not: give both or none.",
  );
  expect(T > 0, "gru", () => `x ${show(x!)} has no time steps, expected at least 1.`);
  expect(
    !h0 || (h0.dtype === "f32" && show(h0) === show([N, H])),
    "gru",
    () => `h0 is ${show(h0!)}, expected [${N}, ${H}].`,
  );
  expectLengths("gru", lengths, N, T);
  const vector = H % 4 === 0;
  const gx = matrixProduct(r, {
    a: x!,
    b: wih!,
    M: N * T,
    N: 3 * H,
    K: I,
    transposeB: true,
    bias: bih,
    examples: "M",
    shape: [N, T, 3 * H],
  }).c;
  const state = fresh(r, [N, T + 1, 5 * H]);
  const output = fresh(r, [N, T, H]);
  const hidden = fresh(r, [N, H]);
  const perExample = lengths ? [lengths.slot] : [];
  const variant = { lengths: lengths !== undefined, reverse };
  const inputs = { bias: bhh !== undefined, h0: h0 !== undefined };
  choose(
    r,
    "gru",
    { N, H },
    (way) => forward({ vector, ...variant, ...inputs, ...way }),
    (way) => shared.forward({ vector, ...variant, ...inputs, ...way }),
    {
      reads: [gx.slot, whh!.slot, ...(bhh ? [bhh.slot] : []), ...perExample, ...(h0 ? [h0.slot] : [])],
      writes: [state.slot, output.slot, hidden.slot],
      sizes: [N, T, H],
    },
  );
  return {
    outputs: [output, hidden],
    backward: ([dy, dhidden], needs) => {
      const dgx = fresh(r, [N, T, 3 * H]);
      const dgh = fresh(r, [N, T + 1, 3 * H]);
      const dh = fresh(r, [N, H]);
      const given = { dy: dy !== undefined, dhidden: dhidden !== undefined };
      choose(
        r,
        "gru.backward",
        { N, H },
        (way) => backward({ vector, ...variant, ...given, ...way }),
        (way) => shared.backward({ ...variant, ...given, ...way }),
        {
          reads: [state.slot, whh!.slot, ...perExample, ...(dy ? [dy.slot] : []), ...(dhidden ? [dhidden.slot] : [])],
          writes: [dgx.slot, dgh.slot, dh.slot],
          sizes: [N, T, H],
        },
      );
      // In steps of 5H through `state`, h alone is what Wₕ was multiplied with.
      const input = weightGradient(r, dgx, x!, N * T, I, I, 3 * H);
      const recurrent = weightGradient(r, dgh, state, N * (T + 1), H, 5 * H, 3 * H);
      const dx = needs[0]
        ? matrixProduct(r, { a: dgx, b: wih!, M: N * T, N: I, K: 3 * H, shape: x!.shape, examples: "M" }).c
        : undefined;
      return [
        dx,
        input.c,
        recurrent.c,
        input.sums,
        recurrent.sums,
        undefined,
        needs[6] ? reshaped(dh, [N, H]) : undefined,
      ];
    },
  };
};

/** dw = dyᵀ · x and db = Σ dy over all rows at once. */
const weightGradient = (
  r: Recording,
  dy: Value,
  x: Value,
  rows: number,
  inputs: number,
  ldb: number,
  outputs: number,
) =>
  matrixProduct(r, { a: dy, b: x, M: outputs, N: inputs, K: rows, transposeA: true, ldb, rowSum: true, examples: "K" });

/** Checks lengths that the host knows: 1 … T each, or 0 for an example without any step. */
export function expectLengths(op: string, lengths: Value | undefined, N: number, T: number): void {
  if (!lengths) return;
  expect(
    lengths.dtype !== "f32" && show(lengths) === show([N]),
    op,
    () => `lengths is ${show(lengths)} ${lengths.dtype}, expected [${N}] i32.`,
  );
  const bad = lengths.slot.host?.findIndex((length) => length < 0 || length > T) ?? -1;
  expect(bad < 0, op, () => `lengths[${bad}] is ${lengths.slot.host![bad]}, expected 0 … ${T}.`);
}
