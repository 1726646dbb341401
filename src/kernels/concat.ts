import { kernel, type Recording, type Slot, wgsl } from "../gpu/index.ts";
import { checkAxis, expect, expectFloat, show } from "./checks.ts";
import { allocate, count, grid, type Op, type Value } from "./op.ts";

/*
 * concat: y is the inputs one after another along `axis`; each input gets its own slice of dy.
 * Both are copies of blocks: `outer` blocks of `inner` numbers, at a stride and an offset on the longer side.
 */

const copy = kernel(
  "concat",
  ({ cut }: { cut: boolean }) => wgsl`
struct Params { outer: u32, inner: u32, stride: u32, offset: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.outer * params.inner) { return; }
  let far = at / params.inner * params.stride + params.offset + at % params.inner;
#if ${cut}
  y[at] = x[far];
#else
  y[far] = x[at];
#endif
}`,
);

export const concat: Op<{ axis: number }> = (r, inputs, { axis: asked }) => {
  const xs = inputs.map((x) => x!);
  xs.forEach((x, i) => {
    expectFloat("concat", `input ${i}`, x);
  });
  const rank = xs[0]!.shape.length;
  const axis = checkAxis("concat", "input 0", xs[0]!, asked);
  const fits = (x: Value) =>
    x.shape.length === rank && x.shape.every((size, i) => i === axis || size === xs[0]!.shape[i]);
  expect(
    xs.every(fits),
    "concat",
    () => `inputs ${xs.map(show).join(", ")} must be equal in all sizes but that of axis ${axis}.`,
  );
  const shape = xs[0]!.shape.map((size, i) => (i === axis ? xs.reduce((sum, x) => sum + x.shape[i]!, 0) : size));
  const y = allocate(r, shape);
  const outer = count(shape.slice(0, axis));
  const block = (x: Value) => count(x.shape.slice(axis));
  const move = (cut: boolean, from: Value, to: Value, inner: number, offset: number) =>
    r.dispatch({
      kernel: copy({ cut }),
      reads: [from.slot],
      writes: [to.slot],
      params: [outer, inner, block(y), offset],
      grid: grid(outer * inner, 64),
    });
  const offsets: number[] = [];
  let offset = 0;
  for (const x of xs) {
    offsets.push(offset);
    move(false, x, y, block(x), offset);
    offset += block(x);
  }
  return {
    outputs: [y],
    backward: ([dy], needs) =>
      xs.map((x, i) => {
        if (!needs[i]) return undefined;
        const dx = allocate(r, x.shape);
        move(true, dy!, dx, block(x), offsets[i]!);
        return dx;
      }),
  };
};

/** Copies x into `to` at an offset in bytes: for what could not be computed, or does not lie, in its place. */
export function copyInto(r: Recording, x: Value, to: Slot, offset: number): void {
  copyPart(r, { cut: false, from: x.slot, to, n: count(x.shape), offset });
}

/** Copies from `from`, at an offset in bytes, what fills x. */
export function copyOutOf(r: Recording, from: Slot, offset: number, x: Value): void {
  copyPart(r, { cut: true, from, to: x.slot, n: count(x.shape), offset });
}

interface Part {
  /** Whether the offset is one of `from`; else it is one of `to`. */
  cut: boolean;
  from: Slot;
  to: Slot;
  n: number;
  /** In bytes. */
  offset: number;
}

function copyPart(r: Recording, { cut, from, to, n, offset }: Part): void {
  r.dispatch({
    kernel: copy({ cut }),
    reads: [from],
    writes: [to],
    params: [1, n, n, offset / 4],
    grid: grid(n, 64),
  });
}
