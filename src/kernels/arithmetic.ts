import { kernel, type Recording, wgsl } from "../gpu/index.ts";
import { broadcast, layout, operandsOf } from "./broadcast.ts";
import { expect, expectFloat, show } from "./checks.ts";
import { allocate, count, grid, type Op, type Value } from "./op.ts";
import { sumTo } from "./reduce.ts";
import { infinite, logarithm, nanTest } from "./snippets.ts";

/*
 * y = f(a, b) number by number, with broadcasting. The gradient of a repeated operand is summed over its repetitions.
 */

/** y = f(a, b), and what d, the gradient of y, becomes by a and by b, as WGSL. */
const functions = {
  add: { value: "a + b", da: "d", db: "d" },
  sub: { value: "a - b", da: "d", db: "-d" },
  mul: { value: "a * b", da: "d * b", db: "d * a" },
  div: { value: "a / b", da: "d * (1.0 / b)", db: "d * (-(a / b) / b)" },
  // Where both are equal each gets half of the gradient, as in PyTorch. NaN wins.
  maximum: {
    value: "select(select(b, a, a > b), a + b, isNaN(a) || isNaN(b))",
    da: "select(select(d, 0.0, a < b), select(d / 2, d, isNaN(a) || isNaN(b)), a == b || isNaN(a) || isNaN(b))",
    db: "select(select(d, 0.0, b < a), select(d / 2, d, isNaN(a) || isNaN(b)), a == b || isNaN(a) || isNaN(b))",
  },
  minimum: {
    value: "select(select(b, a, a < b), a + b, isNaN(a) || isNaN(b))",
    da: "select(select(d, 0.0, a > b), select(d / 2, d, isNaN(a) || isNaN(b)), a == b || isNaN(a) || isNaN(b))",
    db: "select(select(d, 0.0, b > a), select(d / 2, d, isNaN(a) || isNaN(b)), a == b || isNaN(a) || isNaN(b))",
  },
  pow: {
    value: "power(a, b)",
    da: "select(d * (b * power(a, b - 1)), 0.0, b == 0)",
    db: "d * select(power(a, b) * logarithm(a), 0.0, a == 0 && b >= 0)",
  },
} as const;
export type Arithmetic = keyof typeof functions;

const helpers = wgsl`${nanTest}${logarithm}
// C's pow, as PyTorch has it. WGSL's knows neither a negative base nor what is not finite.
fn power(a: f32, b: f32) -> f32 {
  if (b == 0 || a == 1) { return 1; }
  if (isNaN(a) || isNaN(b)) { return a + b; }
  if (b == 1) { return a; }
  if (b == 2) { return a * a; }
  let size = abs(a);
  if (${infinite("b")}) { return select(select(0.0, abs(b), (size > 1) == (b > 0)), 1.0, size == 1); }
  // Beyond 2²⁴ every float is even.
  let half = abs(b) / 2;
  let odd = abs(b) < 0x1p24 && floor(half) + 0.5 == half;
  var y: f32;
  if (size == 0 || ${infinite("a")}) { y = select(1 / size, size, b > 0); }
  else if (a < 0 && floor(b) != b) { return sqrt(a); }
  else { y = pow(size, b); }
  return select(y, -y, (bitcast<u32>(a) >> 31) == 1 && odd);
}`;

const forward = kernel(
  "arithmetic",
  ({ kind, same }: { kind: Arithmetic; same: boolean }) => wgsl`
${operandsOf(["a", "b"], same)}${helpers}
@group(0) @binding(_) var<storage, read> a_in: array<f32>;
@group(0) @binding(_) var<storage, read> b_in: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let i = operands(at);
  let a = a_in[i.x];
  let b = b_in[i.y];
  y[at] = ${functions[kind].value};
}`,
);

const backward = kernel(
  "arithmetic.backward",
  ({ kind, same, by }: { kind: Arithmetic; same: boolean; by: "a" | "b" }) => wgsl`
${operandsOf(["a", "b"], same)}${helpers}
@group(0) @binding(_) var<storage, read> a_in: array<f32>;
@group(0) @binding(_) var<storage, read> b_in: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.n) { return; }
  let i = operands(at);
  let a = a_in[i.x];
  let b = b_in[i.y];
  let d = dy[at];
  dx[at] = ${by === "a" ? functions[kind].da : functions[kind].db};
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
  const params = layout(kind, [a!.shape, b!.shape], shape);
  const y = allocate(r, shape);
  const operands = [a!.slot, b!.slot];
  const same = [a!, b!].every((x) => x.shape.length === shape.length && x.shape.every((size, i) => size === shape[i]));
  r.dispatch({
    kernel: forward({ kind, same }),
    reads: operands,
    writes: [y.slot],
    params,
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
        if (functions[kind][by === "a" ? "da" : "db"] === "d") return sumTo(r, dy!, x.shape);
        const d = allocate(r, shape);
        r.dispatch({
          kernel: backward({ kind, same, by }),
          reads: [...operands, dy!.slot],
          writes: [d.slot],
          params,
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
