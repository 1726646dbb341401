import { wgsl } from "../../gpu/index.ts";
import { type Activation, activations } from "../snippets.ts";

/* What all variants of the convolution are given. */

/** The window is part of a kernel: its loops are unrolled, and divisions are by constants. */
export interface Window extends Record<string, string | number | boolean> {
  kH: number;
  kW: number;
  strideH: number;
  strideW: number;
  dilationH: number;
  dilationW: number;
}

export interface Forward extends Window {
  bias: boolean;
  activation: Activation;
}

/** In registers a thread computes 8 channels of 8 neighboring pixels: a weight serves 8 products, a pixel 8 channels. */
export const CHANNELS = 8;
export const PIXELS = 8;

/** The window's constants, and the parameters that are known when a step is planned. */
export const common = (v: Window): string => wgsl`
const KH = ${v.kH}u; const STRIDE_H = ${v.strideH}u; const DILATION_H = ${v.dilationH}u;
const KW = ${v.kW}u; const STRIDE_W = ${v.strideW}u; const DILATION_W = ${v.dilationW}u;
const CHANNELS = ${CHANNELS}u;
const PIXELS = ${PIXELS}u;
// x is N × C × H × W, y N × O × P × Q.
struct Params {
  N: u32, C: u32, H: u32, W: u32, O: u32, P: u32, Q: u32, groups: u32, padH: u32, padW: u32,
  // Of dw alone: how many partial sums there are (registers, quads), or of how many pixels each is (shared).
  split: u32,
}`;

/** WGSL: `epilogue(y, o)`, with the bias of output channel o and the activation. */
export const epilogue = ({ bias, activation }: Forward): string => wgsl`
fn activate(x: f32) -> f32 { return ${activations[activation].value}; }
#if ${bias}
fn epilogue(y: f32, o: u32) -> f32 { return activate(y + b[o]); }
#else
fn epilogue(y: f32, o: u32) -> f32 { return activate(y); }
#endif`;

/**
 * The columns that a thread's pixels meet over all taps, of which each is read once: in the row of x those of pixel · step +
 * tap · dilation, counted from the first pixel's first.
 */
export const columnsOf = (kW: number, step: number, dilation: number): number[] => {
  const columns = new Set<number>();
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    for (let tap = 0; tap < kW; tap++) columns.add(pixel * step + tap * dilation);
  }
  return [...columns].sort((a, b) => a - b);
};

/**
 * WGSL of registers.ts and quads.ts: how a thread reads a pixel of a row, 0 outside. Columns left of the image wrap around to
 * huge unsigned numbers, so that one comparison tells inside from outside; `&` and not `&&`, which would be a branch each time
 * and take some compilers a minute.
 */
export const readPixel = /* wgsl */ `
fn pixel(row: u32, column: i32, W: u32, live: bool) -> f32 {
  let w = bitcast<u32>(column);
  return select(0.0, x[row + min(w, W - 1)], (w < W) & live);
}`;

/** WGSL: likewise the gradient of the result that met a pixel of x, if there is one; `column` is the pixel's plus the padding. */
export const readGradient = ({ strideW }: Window): string => wgsl`
fn gradient(row: u32, column: i32, Q: u32, live: bool) -> f32 {
  let w = bitcast<u32>(column);
#if ${strideW > 1}
  return select(0.0, dy[row + min(w / STRIDE_W, Q - 1)], (w / STRIDE_W < Q) & (w % STRIDE_W == 0) & live);
#else
  return select(0.0, dy[row + min(w, Q - 1)], (w < Q) & live);
#endif
}`;

/** WGSL: stores 8 pixels of output channel o, or of dx, from `at` on, as far as `left` says that the row goes. */
export const storePixels = wgsl`
fn storePixels(at: u32, o: u32, left: u32, first: vec4f, last: vec4f) {
#unroll p in 4
  if ($p < left) { y[at + $p] = epilogue(first[$p], o); }
#end
#unroll p in 4
  if ($p + 4 < left) { y[at + $p + 4] = epilogue(last[$p], o); }
#end
}`;
export const storeGradients = wgsl`
fn storeGradients(at: u32, left: u32, first: vec4f, last: vec4f) {
#unroll p in 4
  if ($p < left) { dx[at + $p] = first[$p]; }
#end
#unroll p in 4
  if ($p + 4 < left) { dx[at + $p + 4] = last[$p]; }
#end
}`;

/** For dw: the window's rows are taken `taps` at a time. All of a small window share what is read of dy; a large one would not fit. */
export interface WindowRows extends Window {
  taps: number;
}

/** Whether a pixel's tap meets what the pixel before met one tap further right. */
export const slides = ({ strideW, dilationW }: Window): boolean => strideW === dilationW;

/** WGSL: as `readPixel`; what lies outside may be read, as it is not looked at. */
export const readTap = /* wgsl */ `
fn pixel(row: u32, column: u32, W: u32, live: bool) -> f32 {
  return select(0.0, x[row + column], (column < W) & live);
}`;
