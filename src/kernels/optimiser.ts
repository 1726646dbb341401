import { kernel, type Recording, type Slot, wgsl } from "../gpu/index.ts";
import { grid } from "./op.ts";
import { chooseRows, type RowWay, rowOf, sumOfLanes, threads } from "./rows.ts";

/*
 * One dispatch that changes all parameters, which lie in one buffer, each from a multiple of 64 numbers on. `live` says
 * of each 64 how many numbers they hold: the rest is padding, and a parameter without a gradient counts as padding.
 *   SGD    m ← μ m + g;  p ← p − lr · m                         (Nesterov: p ← p − lr · (g + μ m))
 *   Adam   m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²
 *          p ← p − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)     (Kingma and Ba 2015)
 *   RMSprop v ← α v + (1 − α) g²;  m ← μ m + g / (√v + ε);  p ← p − lr · m      (Hinton 2012; α is β₂ here)
 * g includes λ p (weight decay); AdamW shrinks p by lr · λ instead (Loshchilov and Hutter 2019). Clipping multiplies g
 * by min(1, limit / (‖g‖ + 1e-6)), ‖g‖ over all parameters, or keeps each number within ±most, or both in this order. All
 * numbers that a step may change come in `settings`.
 */

export type Rule = "sgd" | "adam" | "adamw" | "rmsprop";

/** `settings` in this order. `scale1` is 1 − β₁ᵗ, `scale2` is √(1 − β₂ᵗ). */
export const SETTINGS = [
  "lr",
  "decay",
  "momentum",
  "beta1",
  "beta2",
  "epsilon",
  "scale1",
  "scale2",
  "limit",
  "most",
] as const;

/** Groups of 64 numbers that are summed together for the norm, as a row of `rows.ts` is. */
const SHARE = 64;

const squares = kernel(
  "optimiser.norm",
  (way: RowWay) => wgsl`
@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> live: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
${sumOfLanes(way)}

@compute @workgroup_size(${threads(way)})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  ${rowOf(way)}
  if (row >= arrayLength(&sums)) { return; }
  var sum = 0.0;
  for (var i = lane; i < ${SHARE * 16}; i += ${way.lanes}) {
    let at = row * ${SHARE * 16} + i;
    let n = select(0u, live[min(at / 16, arrayLength(&live) - 1)], at / 16 < arrayLength(&live));
    let first = at % 16 * 4;
    let g = select(vec4f(), gradients[min(at, arrayLength(&gradients) - 1)], vec4u(first, first + 1, first + 2, first + 3) < vec4u(n));
    sum += dot(g, g);
  }
  sum = sumOfLanes(lane, sum);
  if (lane == 0) { sums[row] = sum; }
}`,
);

const factor = kernel(
  "optimiser.clip",
  () => wgsl`
@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read> settings: array<f32>;
@group(0) @binding(2) var<storage, read_write> clip: array<f32>;
${sumOfLanes({ lanes: 64 })}

// clip[0] is what gradients are multiplied with, clip[1] their norm.
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < arrayLength(&sums); i += 64) { sum += sums[i]; }
  let norm = sqrt(sumOfLanes(lane, sum));
  if (lane == 0) {
    clip[0] = min(1.0, settings[8] / (norm + 1e-6));
    clip[1] = norm;
  }
}`,
);

const update = kernel(
  "optimiser",
  ({ rule, nesterov, clipped, bounded }: Pick<Update, "rule" | "nesterov" | "clipped" | "bounded">) => wgsl`
@group(0) @binding(0) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(1) var<storage, read> live: array<u32>;
@group(0) @binding(2) var<storage, read> settings: array<f32>;
#if ${clipped}
@group(0) @binding(3) var<storage, read> clip: array<f32>;
#endif
@group(0) @binding(${clipped ? 4 : 3}) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(${clipped ? 5 : 4}) var<storage, read_write> m: array<vec4f>;
#if ${rule !== "sgd"}
@group(0) @binding(${clipped ? 6 : 5}) var<storage, read_write> v: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lane: u32) {
  let at = (group.x + group.y * groups.x) * 64 + lane;
  if (at >= arrayLength(&p)) { return; }
  let first = at % 16 * 4;
  let inside = vec4u(first, first + 1, first + 2, first + 3) < vec4u(live[at / 16]);
  if (!any(inside)) { return; }
  let lr = settings[0];
  let decay = settings[1];
  let old = p[at];
  var g = gradients[at]${clipped ? " * clip[0]" : ""};
#if ${bounded}
  g = select(clamp(g, vec4f(-settings[9]), vec4f(settings[9])), g, g != g);
#endif
#if ${rule !== "adamw"}
  g += decay * old;
#endif
  var new_p = old;
#if ${rule === "sgd"}
  let momentum = settings[2];
  let new_m = momentum * m[at] + g;
  new_p -= lr * ${nesterov ? "(g + momentum * new_m)" : "new_m"};
#else
#if ${rule === "rmsprop"}
  let new_v = settings[4] * v[at] + (1 - settings[4]) * g * g;
  let new_m = settings[2] * m[at] + g / (sqrt(new_v) + settings[5]);
  new_p -= lr * new_m;
#else
  let new_m = m[at] + (1 - settings[3]) * (g - m[at]);
  let new_v = settings[4] * v[at] + (1 - settings[4]) * g * g;
#if ${rule === "adamw"}
  new_p *= 1 - lr * decay;
#endif
  new_p -= lr / settings[6] * (new_m / (sqrt(new_v) / settings[7] + settings[5]));
#endif
  v[at] = select(v[at], new_v, inside);
#endif
  m[at] = select(m[at], new_m, inside);
  p[at] = select(old, new_p, inside);
}`,
);

export interface Update {
  rule: Rule;
  nesterov: boolean;
  /** Clipped by the norm of all gradients; each number kept within bounds. */
  clipped: boolean;
  bounded: boolean;
  /** Buffers of equal layout: what is changed, its gradients, and what the rule remembers. */
  parameters: Slot;
  gradients: Slot;
  m: Slot;
  v: Slot | undefined;
  live: Slot;
  settings: Slot;
}

export function optimiserUpdate(r: Recording, u: Update): void {
  const clip = r.temporary(8);
  if (u.clipped) {
    const rows = Math.ceil(u.live.bytes / 4 / SHARE);
    const sums = r.temporary(4 * rows);
    chooseRows(r, "optimiser.norm", rows, SHARE * 64, squares, { reads: [u.gradients, u.live], writes: [sums] });
    r.dispatch({ kernel: factor({}), reads: [sums, u.settings], writes: [clip], grid: [1, 1, 1] });
  }
  r.dispatch({
    kernel: update({ rule: u.rule, nesterov: u.nesterov, clipped: u.clipped, bounded: u.bounded }),
    reads: [u.gradients, u.live, u.settings, ...(u.clipped ? [clip] : [])],
    writes: [u.parameters, u.m, ...(u.v ? [u.v] : [])],
    grid: grid(u.parameters.bytes / 16, 64),
  });
}
