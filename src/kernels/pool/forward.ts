import { kernel, wgsl } from "../../gpu/index.ts";
import { activations, nanTest } from "../snippets.ts";
import { common, UNROLLED, type Window } from "./common.ts";

/*
 * A thread takes a window: number by number where it is small and never hangs over the edge, else by loops. Of the largest it
 * notes where in its plane of x it was found.
 */

const isWhole = ({ padH, padW, kH, kW }: Window): boolean => padH === 0 && padW === 0 && kH * kW <= UNROLLED;

export const forward = kernel(
  "pool2d",
  (v: Window) => wgsl`
${common(v)}
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
#if ${v.kind === "max"}
@group(0) @binding(_) var<storage, read_write> chosen: array<u32>;
#endif
@group(0) @binding(_) var<uniform> params: Params;

fn activate(x: f32) -> f32 { return ${activations[v.activation].value}; }
// NaN wins.
${nanTest}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.planes * params.P * params.Q) { return; }
  let row = at / params.Q;
  let q = at - row * params.Q;
  let p = row % params.P;
  let plane = row / params.P * params.H * params.W;
#if ${isWhole(v)}
  let corner = p * STRIDE_H * params.W + q * STRIDE_W;
#unroll k in ${v.kH * v.kW}
  let at$k = corner + $(k / ${v.kW}) * params.W + $(k % ${v.kW});
  let x$k = x[plane + at$k];
#end
  var best = x0;
  var first = at0;
#unroll k in ${v.kH * v.kW - 1}
#if ${v.kind === "max"}
  let takes$k = (x$(k + 1) > best) | isNaN(x$(k + 1));
  best = select(best, x$(k + 1), takes$k);
  first = select(first, at$(k + 1), takes$k);
#else
  best += x$(k + 1);
#endif
#end
#else
  let top = i32(p * STRIDE_H) - i32(PAD_H);
  let left = i32(q * STRIDE_W) - i32(PAD_W);
  var best = 0.0;
  var first = 0xffffffffu;
  for (var h = max(top, 0); h < min(top + i32(KH), i32(params.H)); h++) {
    // A row's sum by itself: rounding errors grow with the window's height and width, not with their product.
    var run = 0.0;
    for (var w = max(left, 0); w < min(left + i32(KW), i32(params.W)); w++) {
      let i = u32(h) * params.W + u32(w);
      let value = x[plane + i];
#if ${v.kind === "max"}
      if (first == 0xffffffffu || value > best || isNaN(value)) { best = value; first = i; }
#else
      run += value;
#endif
    }
#if ${v.kind === "average"}
    best += run;
#endif
  }
#endif
#if ${v.kind === "max"}
  y[at] = activate(best);
  chosen[at] = first;
#else
  y[at] = activate(best / f32(KH * KW));
#endif
}`,
);
