import { wgsl } from "../../gpu/index.ts";
import { type Activation, activations } from "../snippets.ts";

export type Kind = "max" | "average";

/** The window is part of the kernel: its loops and divisions are then by constants. */
export interface Window extends Record<string, string | number | boolean> {
  kind: Kind;
  activation: Activation;
  kH: number;
  kW: number;
  strideH: number;
  strideW: number;
  padH: number;
  padW: number;
}

/** Numbers of a window that are unrolled, at most. */
export const UNROLLED = 16;

/** WGSL: the window's constants, and the parameters. */
export const common = (v: Window): string => wgsl`
const KH = ${v.kH}u; const STRIDE_H = ${v.strideH}u; const PAD_H = ${v.padH}u;
const KW = ${v.kW}u; const STRIDE_W = ${v.strideW}u; const PAD_W = ${v.padW}u;
// planes: the channels of all examples, of H × W numbers in x and P × Q in y.
struct Params { planes: u32, H: u32, W: u32, P: u32, Q: u32 }`;

/** WGSL of both ways back: dy, what it takes to know where it goes, and `gradient(i)`, dy · f′ at a window. */
export const backwardBindings = ({ kind, activation }: Window): string => wgsl`
@group(0) @binding(_) var<storage, read> dy: array<f32>;
#if ${activation !== "none"}
@group(0) @binding(_) var<storage, read> y_in: array<f32>;
#endif
#if ${kind === "max"}
@group(0) @binding(_) var<storage, read> chosen: array<u32>;
#endif
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;

fn gradient(i: u32) -> f32 {
  let d = dy[i];
#if ${activation !== "none"}
  let y = y_in[i];
#endif
  return ${activations[activation].gradient};
}`;
