import type { Component } from "./entropy.ts";

/*
 * From coefficients to samples, in the integers of the Independent JPEG Group's decoder (jidctint, jdsample), which
 * browsers and Pillow use too: the same file gives the same numbers.
 */

/** One component's samples, at the picture's size. */
export function planeOf(
  component: Component,
  quantizers: Int32Array,
  most: { h: number; v: number },
  width: number,
  height: number,
) {
  const small = samplesOf(component, quantizers);
  const [across, down] = [most.h / component.h, most.v / component.v];
  if (!Number.isInteger(across) || !Number.isInteger(down)) {
    throw new Error(
      `its components are sampled ${component.h} × ${component.v} of ${most.h} × ${most.v}, which do not divide`,
    );
  }
  return enlarge(small, across, down, width, height);
}

interface Plane {
  readonly width: number;
  readonly height: number;
  /** Numbers from one line to the next. */
  readonly stride: number;
  readonly data: Uint8Array;
}

function samplesOf(
  { coefficients, stride, blocksWide, blocksHigh, width, height }: Component,
  quantizers: Int32Array,
): Plane {
  const data = new Uint8Array(blocksWide * 8 * blocksHigh * 8);
  const work = new Int32Array(64);
  for (let y = 0; y < blocksHigh; y++) {
    for (let x = 0; x < blocksWide; x++) {
      const at = (y * stride + x) * 64;
      const to = y * 8 * blocksWide * 8 + x * 8;
      inverseDct(coefficients.subarray(at, at + 64), quantizers, work, { data, to, stride: blocksWide * 8 });
    }
  }
  return { width, height, stride: blocksWide * 8, data };
}

/** Cosines times 2^13 (Loeffler, Ligtenberg & Moschytz 1989). */
const [C298, C390, C541, C765, C899] = [2446, 3196, 4433, 6270, 7373];
const [C1175, C1501, C1847, C1961, C2053, C2562, C3072] = [9633, 12299, 15137, 16069, 16819, 20995, 25172];

/** Columns first, with two bits more than samples have, then rows. */
function inverseDct(
  x: Int16Array,
  q: Int32Array,
  work: Int32Array,
  out: { data: Uint8Array; to: number; stride: number },
): void {
  const { data, to, stride } = out;
  for (let pass = 0; pass < 2; pass++) {
    const [step, shift] = pass === 0 ? [8, 11] : [1, 18];
    const half = 1 << (shift - 1);
    for (let i = 0; i < 8; i++) {
      const base = pass === 0 ? i : i * 8;
      const v = (k: number) => (pass === 0 ? x[base + k * step]! * q[base + k * step]! : work[base + k]!);
      const even = Math.imul(v(2) + v(6), C541);
      const t2 = even - Math.imul(v(6), C1847);
      const t3 = even + Math.imul(v(2), C765);
      const t0 = (v(0) + v(4)) << 13;
      const t1 = (v(0) - v(4)) << 13;
      const [e0, e3, e1, e2] = [t0 + t3, t0 - t3, t1 + t2, t1 - t2];
      const [o7, o5, o3, o1] = [v(7), v(5), v(3), v(1)];
      const z5 = Math.imul(o7 + o3 + o5 + o1, C1175);
      const z1 = -Math.imul(o7 + o1, C899);
      const z2 = -Math.imul(o5 + o3, C2562);
      const z3 = z5 - Math.imul(o7 + o3, C1961);
      const z4 = z5 - Math.imul(o5 + o1, C390);
      const p0 = Math.imul(o7, C298) + z1 + z3;
      const p1 = Math.imul(o5, C2053) + z2 + z4;
      const p2 = Math.imul(o3, C3072) + z2 + z3;
      const p3 = Math.imul(o1, C1501) + z1 + z4;
      const values = [e0 + p3, e1 + p2, e2 + p1, e3 + p0, e3 - p0, e2 - p1, e1 - p2, e0 - p3];
      for (let k = 0; k < 8; k++) {
        const value = (values[k]! + half) >> shift;
        if (pass === 0) work[k * 8 + i] = value;
        else data[to + i * stride + k] = clamp(value + 128);
      }
    }
  }
}

export const clamp = (x: number): number => Math.min(Math.max(x, 0), 255);

/** Twice as wide or high by weights ¾ and ¼ of the nearest two, other factors by repeating: as the IJG's decoder does. */
function enlarge(plane: Plane, across: number, down: number, width: number, height: number): Uint8Array {
  const { data, stride, width: w, height: h } = plane;
  const result = new Uint8Array(width * height);
  const smooth = (across === 2 && down <= 2 && w > 2) || (across === 1 && down === 2);
  const line = new Int32Array(w);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / down) * stride;
    const to = y * width;
    if (!smooth) {
      for (let x = 0; x < width; x++) result[to + x] = data[row + Math.floor(x / across)]!;
      continue;
    }
    const upper = y % 2 === 0;
    const near = Math.floor(y / 2) + (upper ? -1 : 1);
    const other = Math.min(Math.max(near, 0), h - 1) * stride;
    for (let i = 0; i < w; i++) line[i] = down === 2 ? 3 * data[row + i]! + data[other + i]! : data[row + i]!;
    if (across === 1) {
      for (let x = 0; x < width; x++) result[to + x] = (line[x]! + (upper ? 1 : 2)) >> 2;
      continue;
    }
    const [left, right, bits] = down === 2 ? [8, 7, 4] : [1, 2, 2];
    for (let x = 0; x < width; x++) {
      const i = x >> 1;
      const beside = x % 2 === 0 ? i - 1 : i + 1;
      const outside = beside < 0 || beside >= w;
      const sum = outside ? 4 * line[i]! : 3 * line[i]! + line[beside]!;
      result[to + x] = (sum + (x % 2 === 0 ? left : right)) >> bits;
    }
  }
  return result;
}
