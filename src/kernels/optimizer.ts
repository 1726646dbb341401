import { kernel, type Recording, type Slot, wgsl } from "../gpu/index.ts";
import { grid } from "./op.ts";
import { chooseRows, type RowVariant, rowHooks, threads } from "./rows.ts";
import { notANumber4 } from "./snippets.ts";

/*
 * One dispatch that changes all parameters, which lie in one buffer, each from a multiple of 64 numbers on. `live` says
 * of each 64 how many numbers they hold: the rest is padding, and a parameter without a gradient counts as padding.
 *   SGD    m ← μ m + g;  p ← p − lr · m                         (Nesterov: p ← p − lr · (g + μ m))
 *   Adam   m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²
 *          p ← p − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)     (Kingma and Ba 2015)
 *   RMSprop v ← α v + (1 − α) g²;  m ← μ m + g / (√v + ε);  p ← p − lr · m      (Hinton 2012; α is β₂ here)
 * g includes λ p (weight decay); AdamW shrinks p by lr · λ instead (Loshchilov and Hutter 2019). Clipping multiplies g
 * by min(1, limit / (‖g‖ + 1e-6)), ‖g‖ over all parameters, or keeps each number within ±most, or both in this order. As in
 * PyTorch a norm that is NaN makes every gradient NaN, an infinite one makes all 0 but those that are infinite, which become
 * NaN; a decay or momentum of 0 is none, also where p or m is infinite. All numbers that a step may change come in
 * `settings`; those that follow from others are computed on the host, in float64: 1 − 0.9999 has half its digits in float32.
 */

/** The rule by which an optimizer changes parameters. */
export type UpdateRule = "sgd" | "adam" | "adamw" | "rmsprop";

/**
 * `settings` in this order: `rate` is lr, for Adam lr / (1 − β₁ᵗ); `kept` is 1 − lr · λ; `new1` and `new2` are 1 − β₁ and 1 − β₂;
 * `scale` is √(1 − β₂ᵗ).
 */
export const SETTINGS = [
  "rate",
  "decay",
  "kept",
  "momentum",
  "new1",
  "beta2",
  "new2",
  "scale",
  "eps",
  "limit",
  "most",
] as const;
/** WGSL: where each of the settings is (RATE, DECAY, …). */
const places = SETTINGS.map((name, i) => `const ${name.toUpperCase()} = ${i}u;`).join(" ");

/** Groups of 64 numbers that are summed together for the norm, as a row of `rows.ts` is. */
const SHARE = 64;
/** Vectors that are added one after another; sums of so many are added in turn, so that rounding errors stay few. */
const RUN = 32;

const squares = kernel(
  "optimizer.norm",
  (v: RowVariant) => wgsl`
@group(0) @binding(_) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(_) var<storage, read> live: array<u32>;
@group(0) @binding(_) var<storage, read_write> sums: array<f32>;
${rowHooks(v)}
const RUN = ${RUN}u;
// Numbers of a row, in vectors of four.
const VECTORS = ${SHARE * 16}u;

@compute @workgroup_size(${threads(v)})
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let row = rowOf(groupIndex(group), thread);
  let first = firstOf(thread);
  if (row >= arrayLength(&sums)) { return; }
  var sum = 0.0;
  for (var start = first; start < VECTORS; start += ROW_THREADS * RUN) {
    var part = 0.0;
    for (var i = start; i < min(start + ROW_THREADS * RUN, VECTORS); i += ROW_THREADS) {
      let at = row * VECTORS + i;
      let n = select(0u, live[min(at / 16, arrayLength(&live) - 1)], at / 16 < arrayLength(&live));
      let inside = at % 16 * 4 + vec4u(0, 1, 2, 3) < vec4u(n);
      let g = select(vec4f(), gradients[min(at, arrayLength(&gradients) - 1)], inside);
      part += dot(g, g);
    }
    sum += part;
  }
  sum = sumOfThreads(first, sum);
  if (first == 0) { sums[row] = sum; }
}`,
);

const factor = kernel(
  "optimizer.clip",
  () => wgsl`
@group(0) @binding(_) var<storage, read> sums: array<f32>;
@group(0) @binding(_) var<storage, read> settings: array<f32>;
@group(0) @binding(_) var<storage, read_write> clip: array<f32>;
${rowHooks({ rowThreads: 64 })}
const RUN = ${RUN}u;
${places}

// clip[0] is what gradients are multiplied with, clip[1] their norm.
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var start = thread; start < arrayLength(&sums); start += 64 * RUN) {
    var part = 0.0;
    for (var i = start; i < min(start + 64 * RUN, arrayLength(&sums)); i += 64) { part += sums[i]; }
    sum += part;
  }
  let all = sumOfThreads(thread, sum);
  if (thread == 0) {
    // By bits: compilers may take it that no number is NaN or infinite.
    let size = bitcast<u32>(all) & 0x7fffffffu;
    let norm = select(sqrt(all), all, size >= 0x7f800000u);
    let scale = select(min(1.0, settings[LIMIT] / (norm + 1e-6)), 0.0, size == 0x7f800000u);
    clip[0] = select(scale, all, size > 0x7f800000u);
    clip[1] = norm;
  }
}`,
);

const update = kernel(
  "optimizer",
  ({ rule, nesterov, clipped, bounded }: Pick<Update, "rule" | "nesterov" | "clipped" | "bounded">) => wgsl`
@group(0) @binding(_) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(_) var<storage, read> live: array<u32>;
@group(0) @binding(_) var<storage, read> settings: array<f32>;
#if ${clipped}
@group(0) @binding(_) var<storage, read> clip: array<f32>;
#endif
@group(0) @binding(_) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(_) var<storage, read_write> m: array<vec4f>;
#if ${rule !== "sgd"}
@group(0) @binding(_) var<storage, read_write> v: array<vec4f>;
#endif
${places}

@compute @workgroup_size(64)
fn main(group: Group, @builtin(local_invocation_index) thread: u32) {
  let at = groupIndex(group) * 64 + thread;
  if (at >= arrayLength(&p)) { return; }
  let first = at % 16 * 4;
  let inside = vec4u(first, first + 1, first + 2, first + 3) < vec4u(live[at / 16]);
  if (!any(inside)) { return; }
  let old = p[at];
  var g = gradients[at]${clipped ? " * clip[0]" : ""};
#if ${bounded}
  g = select(clamp(g, vec4f(-settings[MOST]), vec4f(settings[MOST])), g, ${notANumber4("g")});
#endif
#if ${rule !== "adamw"}
  if (settings[DECAY] != 0) { g += settings[DECAY] * old; }
#endif
  var new_p = old;
#if ${rule === "sgd" || rule === "rmsprop"}
  var moved = vec4f();
  if (settings[MOMENTUM] != 0) { moved = settings[MOMENTUM] * m[at]; }
#endif
#if ${rule === "sgd"}
  let new_m = moved + g;
  new_p -= settings[RATE] * ${nesterov ? `(g + settings[MOMENTUM] * new_m)` : "new_m"};
#else
  let new_v = settings[BETA2] * v[at] + settings[NEW2] * g * g;
#if ${rule === "rmsprop"}
  let new_m = moved + g / (sqrt(new_v) + settings[EPS]);
  new_p -= settings[RATE] * new_m;
#else
  let new_m = m[at] + settings[NEW1] * (g - m[at]);
#if ${rule === "adamw"}
  new_p *= settings[KEPT];
#endif
  new_p -= settings[RATE] * (new_m / (sqrt(new_v) / settings[SCALE] + settings[EPS]));
#endif
  v[at] = select(v[at], new_v, inside);
#endif
  m[at] = select(m[at], new_m, inside);
  p[at] = select(old, new_p, inside);
}`,
);

export interface Update {
  rule: UpdateRule;
  nesterov: boolean;
  /** Clipped by the norm of all gradients; each number kept within bounds. */
  clipped: boolean;
  bounded: boolean;
  /** Memory of equal layout: what is changed, its gradients, and what the rule remembers. */
  parameters: Slot;
  gradients: Slot;
  m: Slot;
  v: Slot | undefined;
  live: Slot;
  /** In the order of `SETTINGS`. */
  settings: Slot;
}

export function optimizerUpdate(r: Recording, u: Update): void {
  const clip = r.temporary(8);
  if (u.clipped) {
    const rows = Math.ceil(u.live.bytes / 4 / SHARE);
    const sums = r.temporary(4 * rows);
    chooseRows(r, "optimizer.norm", { N: rows, D: SHARE * 64 }, squares, {
      reads: [u.gradients, u.live],
      writes: [sums],
    });
    r.dispatch({ kernel: factor({}), reads: [sums, u.settings], writes: [clip], grid: [1, 1, 1] });
  }
  r.dispatch({
    kernel: update({ rule: u.rule, nesterov: u.nesterov, clipped: u.clipped, bounded: u.bounded }),
    reads: [u.gradients, u.live, u.settings, ...(u.clipped ? [clip] : [])],
    writes: [u.parameters, u.m, ...(u.v ? [u.v] : [])],
    grid: grid(u.parameters.bytes / 16, 64),
  });
}
