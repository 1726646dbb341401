import { kernel, wgsl } from "../../gpu/index.ts";
import { backwardBindings, common, type Window } from "./common.ts";

/*
 * The way back by gathering: a thread takes a number of x and asks all windows that hold it.
 *
 * The right variant wherever windows may overlap, and on GPUs.
 */
export const gather = kernel(
  "pool2d.backward",
  (v: Window) => wgsl`
${common(v)}
${backwardBindings(v)}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= params.planes * params.H * params.W) { return; }
  let w = at % params.W;
  let h = at / params.W % params.H;
  let plane = at / (params.H * params.W) * params.P * params.Q;
  // The windows that hold (h, w): p · stride ≤ h + pad < p · stride + kH.
  let bottom = h + PAD_H;
  let right = w + PAD_W;
  let firstP = select(0u, (bottom - KH) / STRIDE_H + 1, bottom >= KH);
  let firstQ = select(0u, (right - KW) / STRIDE_W + 1, right >= KW);
  var sum = 0.0;
  for (var p = firstP; p <= min(bottom / STRIDE_H, params.P - 1); p++) {
    for (var q = firstQ; q <= min(right / STRIDE_W, params.Q - 1); q++) {
      let i = plane + p * params.Q + q;
#if ${v.kind === "max"}
      if (chosen[i] == h * params.W + w) { sum += gradient(i); }
#else
      sum += gradient(i) / f32(KH * KW);
#endif
    }
  }
  dx[at] = sum;
}`,
);
