import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { broadcast, layout } from "./broadcast.ts";
import { count, expect, expectFloat, fresh, grid, notANumber, type Op, show, type Value } from "./op.ts";
import { sumTo } from "./reduce.ts";

/*
 * y = f(a, b) number by number, with broadcasting. The gradient of a repeated operand is summed over its repetitions.
 */

/** y = f(a, b), and the derivatives by a and by b, as WGSL. */
const functions = {
  add: { value: "a + b", da: "1.0", db: "1.0" },
  sub: { value: "a - b", da: "1.0", db: "-1.0" },
  mul: { value: "a * b", da: "b", db: "a" },
  div: { value: "a / b", da: "1.0 / b", db: "-(a / b) / b" },
  // Where both are equal each gets half of the gradient, as in PyTorch. NaN wins.
  maximum: {
    value: "select(select(b, a, a > b), a + b, isNaN(a) || isNaN(b))",
    da: "select(select(1.0, 0.0, a < b), select(0.5, 1.0, isNaN(a) || isNaN(b)), a == b || isNaN(a) || isNaN(b))",
    db: "select(select(1.0, 0.0, b < a), select(0.5, 1.0, isNaN(a) || isNaN(b)), a == b || isNaN(a) || isNaN(b))",
  },
  minimum: {
    value: "select(select(b, a, a < b), a + b, isNaN(a) || isNaN(b))",
    da: "select(select(1.0, 0.0, a > b), select(0.5, 1.0, isNaN(a) || isNaN(b)), a == b || isNaN(a) || isNaN(b))",
    db: "select(select(1.0, 0.0, b > a), select(0.5, 1.0, isNaN(a) || isNaN(b)), a == b || isNaN(a) || isNaN(b))",
  },
  pow: {
    value: "power(a, b)",
    da: "select(b * power(a, b - 1), 0.0, b == 0)",
    db: "select(power(a, b) * log(a), 0.0, a == 0 && b >= 0)",
  },
} as const;
export type Arithmetic = keyof typeof functions;

/** `same`: both operands have the result's shape, which saves the divisions. */
const index = (same: boolean) => wgsl`
struct Sizes { n: u32, d0: u32, d1: u32, d2: u32, d3: u32, a0: u32, a1: u32, a2: u32, a3: u32, b0: u32, b1: u32, b2: u32, b3: u32 }
// Where the operands of result number \`at\` are.
fn operands(at: u32) -> vec2u {
#if ${same}
  return vec2u(at);
#else
  let i3 = at % s.d3; var rest = at / s.d3;
  let i2 = rest % s.d2; rest /= s.d2;
  let i1 = rest % s.d1;
  let i0 = rest / s.d1;
  return vec2u(i0 * s.a0 + i1 * s.a1 + i2 * s.a2 + i3 * s.a3, i0 * s.b0 + i1 * s.b1 + i2 * s.b2 + i3 * s.b3);
#endif
}
fn isNaN(x: f32) -> bool { return ${notANumber("x")}; }
// WGSL's pow knows no negative base: those have whole exponents, or give NaN (here the root of a negative number).
fn power(a: f32, b: f32) -> f32 {
  if (b == 0) { return 1; }
  if (b == 1) { return a; }
  if (b == 2) { return a * a; }
  if (a == 0) { return select(1 / a, 0.0, b > 0); }
  if (isNaN(a) || isNaN(b)) { return a + b; }
  if (a > 0) { return pow(a, b); }
  if (floor(b) != b) { return sqrt(a); }
  return select(1.0, -1.0, abs(b) % 2 == 1) * pow(-a, b);
}`;

const forward = kernel(
  "arithmetic",
  ({ kind, same }: { kind: Arithmetic; same: boolean }) => wgsl`
${index(same)}
@group(0) @binding(0) var<storage, read> a_in: array<f32>;
@group(0) @binding(1) var<storage, read> b_in: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  if (at >= s.n) { return; }
  let i = operands(at);
  let a = a_in[i.x];
  let b = b_in[i.y];
  y[at] = ${functions[kind].value};
}`,
);

const backward = kernel(
  "arithmetic.backward",
  ({ kind, same, by }: { kind: Arithmetic; same: boolean; by: "a" | "b" }) => wgsl`
${index(same)}
@group(0) @binding(0) var<storage, read> a_in: array<f32>;
@group(0) @binding(1) var<storage, read> b_in: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> d: array<f32>;
@group(0) @binding(4) var<uniform> s: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  if (at >= s.n) { return; }
  let i = operands(at);
  let a = a_in[i.x];
  let b = b_in[i.y];
  d[at] = dy[at] * (${by === "a" ? functions[kind].da : functions[kind].db});
}`,
);

export const arithmetic: Op<{ kind: Arithmetic }> = (r, [a, b], { kind }) => {
  expectFloat(kind, "a", a!);
  expectFloat(kind, "b", b!);
  const shape = broadcast(a!.shape, b!.shape);
  expect(
    shape !== undefined,
    kind,
    () => `shapes do not broadcast: a ${show(a!)} and b ${show(b!)}. Sizes must be equal or 1, counted from the end.`,
  );
  const sizes = layout(kind, [a!.shape, b!.shape], shape);
  const y = fresh(r, shape);
  const operands = [a!.slot, b!.slot];
  const same = [a!, b!].every((x) => x.shape.length === shape.length && x.shape.every((size, i) => size === shape[i]));
  r.dispatch({
    kernel: forward({ kind, same }),
    reads: operands,
    writes: [y.slot],
    sizes,
    grid: grid(count(shape), 64),
  });
  return {
    outputs: [y],
    backward: ([dy], needs) =>
      (
        [
          ["a", a!],
          ["b", b!],
        ] as const
      ).map(([by, x], i) => {
        if (!needs[i]) return undefined;
        if (functions[kind][by === "a" ? "da" : "db"] === "1.0") return sumTo(r, dy!, x.shape);
        const d = fresh(r, shape);
        r.dispatch({
          kernel: backward({ kind, same, by }),
          reads: [...operands, dy!.slot],
          writes: [d.slot],
          sizes,
          grid: grid(count(shape), 64),
        });
        return sumTo(r, d, x.shape);
      }),
  };
};

/** a + b of equal shapes: how gradients of a value that several ops used are added up. */
export function sumOf(r: Recording, a: Value, b: Value): Value {
  return arithmetic(r, [a, { ...b, shape: a.shape }], { kind: "add" }).outputs[0]!;
}
