import type { Recording, Slot } from "../gpu/index.ts";

/** A seed of its own for each use in a step, uploaded: `seed[0]` of a kernel. */
export const uploadSeed = (r: Recording): Slot => r.upload(new Uint32Array([r.seed()]));

/**
 * WGSL of a counter-based generator: a number in [0, 1) from a seed and a place alone, so that the way back can draw
 * the same again and nothing depends on the order of threads. PCG3D of Jarzynski and Olano, "Hash Functions for GPU
 * Rendering" (JCGT 9, 2020).
 */
export const random = /* wgsl */ `
fn random(seed: u32, place: u32) -> f32 {
  var v = vec3u(place, seed, 0x9e3779b9u) * 1664525u + 1013904223u;
  v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
  v ^= v >> vec3u(16);
  v.x += v.y * v.z; v.y += v.z * v.x; v.z += v.x * v.y;
  return f32(v.x >> 8) * 0x1p-24;
}`;
