import { wgsl } from "../gpu/index.ts";
import { largest } from "../numbers.ts";
import { expect, show } from "./checks.ts";
import { count } from "./op.ts";

/*
 * NumPy's broadcasting: shapes are aligned at their ends, and a size of 1 (or none) repeats.
 */

/** Dimensions of a broadcast that kernels walk over, after neighbors that behave alike were joined. */
const DIMENSIONS = 4;

/** The shape that shapes broadcast to; undefined where they do not fit. */
export function broadcast(...shapes: readonly (readonly number[])[]): number[] | undefined {
  const y: number[] = [];
  for (let i = 1; i <= largest(shapes.map((s) => s.length)); i++) {
    const sizes = new Set(shapes.map((s) => s.at(-i) ?? 1));
    sizes.delete(1);
    if (sizes.size > 1) return undefined;
    y.unshift([...sizes][0] ?? 1);
  }
  return y;
}

/** How far apart neighbors along each axis of `y` lie in an operand of this shape; 0 along axes that repeat it. */
export function stridesIn(shape: readonly number[], y: readonly number[]): number[] {
  let stride = 1;
  return y
    .map((_, i) => {
      const size = shape.at(-1 - i) ?? 1;
      const s = size === 1 ? 0 : stride;
      stride *= size;
      return s;
    })
    .reverse();
}

/**
 * WGSL: `Params` as `layout` fills it, and `operands(at)`, where each of two or three operands, named by letters, has what
 * result number `at` is made of. `same`: all have the result's shape, which saves the divisions.
 */
export const operandsOf = (letters: readonly string[], same: boolean): string => wgsl`
struct Params {
  n: u32, d0: u32, d1: u32, d2: u32, d3: u32,
#unroll x in [${letters}]
  $x_0: u32, $x_1: u32, $x_2: u32, $x_3: u32,
#end
}
fn operands(at: u32) -> vec${letters.length}u {
#if ${same}
  return vec${letters.length}u(at);
#else
  let i3 = at % params.d3; var rest = at / params.d3;
  let i2 = rest % params.d2; rest /= params.d2;
  let i1 = rest % params.d1;
  let i0 = rest / params.d1;
  return vec${letters.length}u(
#unroll x in [${letters}]
    i0 * params.$x_0 + i1 * params.$x_1 + i2 * params.$x_2 + i3 * params.$x_3,
#end
  );
#endif
}`;

/**
 * What a kernel needs to walk over a broadcast: the count, DIMENSIONS sizes, then as many strides for each operand.
 * Neighboring dimensions are joined where every operand runs on or repeats.
 */
export function layout(name: string, shapes: readonly (readonly number[])[], y: readonly number[]): number[] {
  const strides = shapes.map((shape) => stridesIn(shape, y));
  const dims: { size: number; steps: number[] }[] = [];
  y.forEach((size, i) => {
    if (size === 1) return;
    const steps = strides.map((s) => s[i]!);
    const last = dims.at(-1);
    if (last?.steps.every((step, k) => step === steps[k]! * size))
      dims[dims.length - 1] = { size: last.size * size, steps };
    else dims.push({ size, steps });
  });
  expect(
    dims.length <= DIMENSIONS,
    name,
    () =>
      `${shapes.map(show).join(" and ")} repeat in too many places (${dims.length}, at most ${DIMENSIONS}). Reshape first.`,
  );
  while (dims.length < DIMENSIONS) dims.unshift({ size: 1, steps: shapes.map(() => 0) });
  return [count(y), ...dims.map((d) => d.size), ...shapes.flatMap((_, k) => dims.map((d) => d.steps[k]!))];
}
