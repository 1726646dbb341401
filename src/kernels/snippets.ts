import { wgsl } from "../gpu/index.ts";

/* Pieces of WGSL that several kernels use. Functions of WGSL may lose NaN, and the digits of small results; these keep them. */

/** WGSL, ahead of all else: for kernels whose threads in fours tell one another what they read (quads). */
export const subgroups = /* wgsl */ `
enable subgroups;
// What a compiler cannot see: the threads of a quad leave together or not at all, since what it depends on is the same for them.
diagnostic(off, subgroup_uniformity);`;

/** Numbers that are added up one by one, at most; sums of so many are added in turn: rounding errors grow with the run, not the length. */
export const RUN = 64;

/**
 * WGSL: adds to each variable of `terms` its term for j from `first` below `end`, `step` apart, in runs of 64.
 *
 * @param before text within the loop, ahead of the terms.
 */
export const sumInRuns = (
  terms: Readonly<Record<string, string>>,
  { first = "0u", end, step = 1, before = "" }: { first?: string; end: string; step?: number; before?: string },
): string => wgsl`
  for (var start = ${first}; start < ${end}; start += ${RUN * step}) {
#unroll name in [${Object.keys(terms)}]
    var run_$name = 0.0;
#end
    let stop = min(start + ${RUN * step}, ${end});
    for (var j = start; j < stop; j += ${step}) {
      ${before}
      ${Object.entries(terms)
        .map(([name, term]) => `run_${name} += ${term};`)
        .join(" ")}
    }
#unroll name in [${Object.keys(terms)}]
    $name += run_$name;
#end
  }`;

/** WGSL: whether x is not a number. By its bits, since compilers may take a number to equal itself. */
export const notANumber = (x: string): string => `((bitcast<u32>(${x}) & 0x7fffffffu) > 0x7f800000u)`;

/** WGSL: whether x is ∞ or −∞, likewise by its bits. */
export const infinite = (x: string): string => `((bitcast<u32>(${x}) & 0x7fffffffu) == 0x7f800000u)`;

/** WGSL: which of the four numbers of x are none. */
export const notANumber4 = (x: string): string => `((bitcast<vec4u>(${x}) & vec4u(0x7fffffff)) > vec4u(0x7f800000))`;

/**
 * An activation as WGSL of `y` from `x`, and the gradient of x from the result `y` and its gradient `d`; relu's is d at NaN, as
 * PyTorch's, and 0 where y is, since 0 · ∞ would not be. Functions of WGSL may lose NaN.
 */
export const activations = {
  none: { value: "x", gradient: "d" },
  relu: { value: "select(x, 0.0, x < 0.0)", gradient: "select(0.0, d, (bitcast<u32>(y) << 1) != 0)" },
  // By its series near 0, where devices that compute it by exponentials lose every digit: it would be 0 at 1e-8.
  tanh: {
    value: `select(select(tanh(clamp(x, -15.0, 15.0)), x * (1.0 - x * x * (0.33333334 - x * x * 0.13333334)), abs(x) < 0.1), x, ${notANumber("x")})`,
    gradient: "d * (1.0 - y * y)",
  },
  sigmoid: { value: `select(1.0 / (1.0 + exp(-x)), x, ${notANumber("x")})`, gradient: "d * y * (1.0 - y)" },
} as const;
export type Activation = keyof typeof activations;

/** WGSL: `isNaN(x)`. */
export const nanTest = /* wgsl */ `
fn isNaN(x: f32) -> bool { return ${notANumber("x")}; }`;

/**
 * WGSL: `unknown(n)`, NaN, for any n of at least 1 that a compiler cannot see: a NaN that it sees is an error. What belongs to
 * an id that only the GPU knows, and that there is not, is this: it cannot be refused, and NaN is how it shows.
 */
export const unknown = /* wgsl */ `
fn unknown(n: u32) -> f32 { return bitcast<f32>(0x7fc00000u * min(n, 1u)); }`;

/** WGSL: `logarithm(x)`, −∞ of 0 and NaN of negative numbers, which WGSL leaves open. Needs `isNaN`. */
export const logarithm = /* wgsl */ `
fn logarithm(x: f32) -> f32 {
  if (isNaN(x)) { return x; }
  if (x == 0) { return -1 / abs(x); }
  if (x < 0) { return sqrt(x); }
  // Near 1 as log1p below, where devices that compute it by exponent and mantissa lose digits; x − 1 is exact there.
  let s = (x - 1) / (x + 1);
  let q = s * s;
  if (abs(x - 1) < 0.25) { return 2 * s * (1 + q * (1 / 3.0 + q * (1 / 5.0 + q * (1 / 7.0 + q / 9.0)))); }
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
