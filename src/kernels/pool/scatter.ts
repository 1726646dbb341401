import { kernel, wgsl } from "../../gpu/index.ts";
import { backwardBindings, common, UNROLLED, type Window } from "./common.ts";

/*
 * The way back by scattering: a thread takes a window and writes all of its dx, and the strip behind it that belongs to none.
 *
 * Only where no two windows overlap, as each x then has one at most. The right variant there for devices that compute on the CPU.
 */
export const scatter = kernel(
  "pool2d.backwardScatter",
  (v: Window) => wgsl`
${common(v)}
${backwardBindings(v)}

// What a window writes: \`rows\` × \`columns\` numbers from \`corner\` on of the plane that begins at \`plane\`; d is its gradient, and
// \`place\` where in the plane the largest was.
struct Written { plane: u32, corner: u32, rows: u32, columns: u32, place: u32, d: f32 }
fn write(window: Written, W: u32, i: u32, j: u32) {
  if ((i < window.rows) & (j < window.columns)) {
    let place = window.corner + i * W + j;
#if ${v.kind === "max"}
    dx[window.plane + place] = select(0.0, window.d, place == window.place);
#else
    dx[window.plane + place] = select(0.0, window.d / f32(KH * KW), (i < KH) & (j < KW));
#endif
  }
}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  let W = params.W;
  let down = (params.H + STRIDE_H - 1) / STRIDE_H;
  let across = (W + STRIDE_W - 1) / STRIDE_W;
  if (at >= params.planes * down * across) { return; }
  let row = at / across;
  let q = at - row * across;
  let p = row % down;
  let plane = row / down;
  let whole = p < params.P && q < params.Q;
  let number = (plane * params.P + min(p, params.P - 1)) * params.Q + min(q, params.Q - 1);
  var window: Written;
  window.plane = plane * params.H * W;
  window.corner = p * STRIDE_H * W + q * STRIDE_W;
  window.rows = params.H - p * STRIDE_H;
  window.columns = W - q * STRIDE_W;
  window.d = select(0.0, gradient(number), whole);
#if ${v.kind === "max"}
  window.place = chosen[number];
#endif
#if ${v.strideH * v.strideW <= UNROLLED}
#unroll i in ${v.strideH}
#unroll j in ${v.strideW}
  write(window, W, $i, $j);
#end
#end
#else
  for (var i = 0u; i < STRIDE_H; i++) {
    for (var j = 0u; j < STRIDE_W; j++) { write(window, W, i, j); }
  }
#endif
}`,
);
