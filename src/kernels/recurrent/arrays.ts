import { wgsl } from "../../gpu/index.ts";

/* The arrays of a recurrence: their bindings, and how the variants through storage read and write them. */

export interface Recurrence extends Record<string, boolean | number> {
  lengths: boolean;
  reverse: boolean;
}
export interface Forward extends Recurrence {
  bias: boolean;
  h0: boolean;
}
export interface Backward extends Recurrence {
  dy: boolean;
  dhidden: boolean;
}

const params = /* wgsl */ `
struct Params { N: u32, T: u32, H: u32 }
@group(0) @binding(_) var<uniform> params: Params;`;

/** Arrays of `numbers`, f32 or vec4f, and weights of `weights`. */
export const forwardBindings = ({ bias, lengths, h0 }: Forward, numbers: string, weights: string): string => wgsl`
alias Numbers = ${numbers};
@group(0) @binding(_) var<storage, read> gx: array<Numbers>;
@group(0) @binding(_) var<storage, read> w: array<${weights}>;
#if ${bias}
@group(0) @binding(_) var<storage, read> bias: array<Numbers>;
#endif
#if ${lengths}
@group(0) @binding(_) var<storage, read> lengths: array<u32>;
#endif
#if ${h0}
@group(0) @binding(_) var<storage, read> h0: array<Numbers>;
#endif
@group(0) @binding(_) var<storage, read_write> state: array<Numbers>;
@group(0) @binding(_) var<storage, read_write> y: array<Numbers>;
@group(0) @binding(_) var<storage, read_write> hidden: array<Numbers>;
${params}`;

export const backwardBindings = ({ lengths, dy, dhidden }: Backward, numbers: string): string => wgsl`
alias Numbers = ${numbers};
@group(0) @binding(_) var<storage, read> state: array<Numbers>;
@group(0) @binding(_) var<storage, read> w: array<Numbers>;
#if ${lengths}
@group(0) @binding(_) var<storage, read> lengths: array<u32>;
#endif
#if ${dy}
@group(0) @binding(_) var<storage, read> dy: array<Numbers>;
#endif
#if ${dhidden}
@group(0) @binding(_) var<storage, read> dhidden: array<Numbers>;
#endif
@group(0) @binding(_) var<storage, read_write> dgx: array<Numbers>;
@group(0) @binding(_) var<storage, read_write> dgh: array<Numbers>;
@group(0) @binding(_) var<storage, read_write> dh: array<Numbers>;
${params}`;

/**
 * WGSL of the variants through storage: how four numbers of a row of H are read and written. Where H is no multiple of 4 rows are no
 * vectors, and there are no numbers from H on.
 */
export const byFours = (vector: boolean, { loads, stores }: { loads: string[]; stores: string[] }): string => wgsl`
#unroll array in [${loads}]
fn load_$array(at: u32, j: u32) -> Units {
#if ${vector}
  return $array[(at + j) / 4];
#else
  let i = at + j;
  let numbers = Units($array[i], $array[i + 1], $array[i + 2], $array[i + 3]);
  return select(Units(), numbers, vec4u(j, j + 1, j + 2, j + 3) < vec4u(params.H));
#endif
}
#end
#unroll array in [${stores}]
fn store_$array(at: u32, j: u32, numbers: Units) {
#if ${vector}
  $array[(at + j) / 4] = numbers;
#else
  for (var i = 0u; i < 4u && j + i < params.H; i++) { $array[at + j + i] = numbers[i]; }
#endif
}
#end`;

/** The arrays that a variant's load_… and store_… are for. */
export const forwardArrays = ({ bias, h0 }: Forward): { loads: string[]; stores: string[] } => ({
  loads: ["gx", "w", "state", ...(bias ? ["bias"] : []), ...(h0 ? ["h0"] : [])],
  stores: ["state", "y", "hidden"],
});
export const backwardArrays = ({ dy, dhidden }: Backward): { loads: string[]; stores: string[] } => ({
  loads: ["state", "w", "dgh", "dh", ...(dy ? ["dy"] : []), ...(dhidden ? ["dhidden"] : [])],
  stores: ["dgx", "dgh", "dh"],
});
