import { notANumber } from "./op.ts";

/*
 * Functions of WGSL that keep what the built-in ones lose: NaN, and the digits of small results.
 */

/** WGSL: `isNaN(x)`. */
export const nanTest = /* wgsl */ `
fn isNaN(x: f32) -> bool { return ${notANumber("x")}; }`;

/** WGSL: `logarithm(x)`, −∞ of 0 and NaN of negative numbers, which WGSL leaves open. Needs `isNaN`. */
export const logarithm = /* wgsl */ `
fn logarithm(x: f32) -> f32 {
  if (isNaN(x)) { return x; }
  if (x == 0) { return -1 / abs(x); }
  if (x < 0) { return sqrt(x); }
  return log(x);
}`;

/**
 * WGSL: `log1p(x)`, log(1 + x) for x in [0, 1] without rounding 1 + x: 2 artanh(x / (2 + x)) by its series, right to a few
 * units in the last place however small x is.
 */
export const log1p = /* wgsl */ `
fn log1p(x: f32) -> f32 {
  let s = x / (2 + x);
  let q = s * s;
  return 2 * s * (1 + q * (1 / 3.0 + q * (1 / 5.0 + q * (1 / 7.0 + q * (1 / 9.0 + q * (1 / 11.0 + q * (1 / 13.0 + q / 15.0)))))));
}`;

/** WGSL: `logistic(x)`, 1 / (1 + e⁻ˣ) by the exponential that does not overflow: small results keep their digits. Needs `isNaN`. */
export const logistic = /* wgsl */ `
fn logistic(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(select(e, 1.0, x > 0) / (1 + e), x, isNaN(x));
}`;
