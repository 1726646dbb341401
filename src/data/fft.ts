/**
 * Power spectrum |X_k|², k = 0 … n/2, of real x, with X_k = Σ_t x_t e^(−2πi k t / n), by the radix-2 method of Cooley
 * and Tukey (1965).
 *
 * @param x a power of two numbers.
 * @throws RangeError otherwise.
 */
export function powerSpectrum(x: ArrayLike<number>): Float64Array {
  const n = x.length;
  const { order, cosine, sine } = tables(n);
  const re = new Float64Array(n);
  for (let i = 0; i < n; i++) re[i] = x[order[i]!]!;
  const im = new Float64Array(n);
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    const step = n / size;
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < half; k++) {
        const a = start + k;
        const b = a + half;
        const c = cosine[k * step]!;
        const s = sine[k * step]!;
        const real = re[b]! * c + im[b]! * s;
        const imaginary = im[b]! * c - re[b]! * s;
        re[b] = re[a]! - real;
        im[b] = im[a]! - imaginary;
        re[a]! += real;
        im[a]! += imaginary;
      }
    }
  }
  const power = re.subarray(0, n / 2 + 1);
  for (let k = 0; k < power.length; k++) power[k] = re[k]! * re[k]! + im[k]! * im[k]!;
  return power;
}

interface Tables {
  /** Bit-reversed indices. */
  order: Uint32Array;
  cosine: Float64Array;
  sine: Float64Array;
}
const known = new Map<number, Tables>();

function tables(n: number): Tables {
  let found = known.get(n);
  if (!found) {
    const bits = Math.log2(n);
    if (!Number.isInteger(bits) || n < 2) throw new RangeError(`powerSpectrum: ${n} numbers, expected a power of two.`);
    const order = new Uint32Array(n);
    for (let i = 1; i < n; i++) order[i] = (order[i >> 1]! >> 1) | ((i & 1) << (bits - 1));
    const angle = (k: number) => (2 * Math.PI * k) / n;
    found = {
      order,
      cosine: Float64Array.from({ length: n / 2 }, (_, k) => Math.cos(angle(k))),
      sine: Float64Array.from({ length: n / 2 }, (_, k) => Math.sin(angle(k))),
    };
    known.set(n, found);
  }
  return found;
}
