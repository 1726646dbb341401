/**
 * Discrete Fourier transform of 2^k complex numbers, in place: X[j] = Σ x[n]·e^(-2πi·jn/N).
 * Radix 2, decimation in time (Cooley & Tukey 1965), with its tables made once.
 */
export class Fft {
  readonly size: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #reversed: Uint32Array;

  constructor(size: number) {
    powerOfTwo("Fft", size, 1);
    this.size = size;
    this.#cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
    this.#sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
    this.#reversed = new Uint32Array(size);
    for (let i = 1; i < size; i++) this.#reversed[i] = (this.#reversed[i >> 1]! >> 1) | (i & 1 ? size >> 1 : 0);
  }

  transform(re: Float64Array, im: Float64Array): void {
    const { size } = this;
    const [cos, sin, reversed] = [this.#cos, this.#sin, this.#reversed];
    if (re.length !== size || im.length !== size) {
      throw new RangeError(`Fft: expected ${size} real and imaginary parts, found ${re.length} and ${im.length}`);
    }
    for (let i = 0; i < size; i++) {
      const j = reversed[i]!;
      if (i >= j) continue;
      let t = re[i]!;
      re[i] = re[j]!;
      re[j] = t;
      t = im[i]!;
      im[i] = im[j]!;
      im[j] = t;
    }
    for (let half = 1, stride = size >> 1; half < size; half *= 2, stride >>= 1) {
      for (let start = 0; start < size; start += 2 * half) {
        for (let k = 0; k < half; k++) {
          const [a, b] = [start + k, start + k + half];
          const [c, s] = [cos[k * stride]!, sin[k * stride]!];
          const [x, y] = [c * re[b]! - s * im[b]!, c * im[b]! + s * re[b]!];
          re[b] = re[a]! - x;
          im[b] = im[a]! - y;
          re[a] = re[a]! + x;
          im[a] = im[a]! + y;
        }
      }
    }
  }
}

/**
 * Power spectrum of N = 2^k real numbers: P[j] = |X[j]|², j = 0 … N/2.
 *
 * Even samples become real parts and odd ones imaginary parts of N/2 complex numbers, so that one transform of half
 * the size is enough: with Z their transform, Z' its mirror conj Z[N/2-j],
 * X[j] = (Z[j] + Z')/2 - i·e^(-2πi·j/N)·(Z[j] - Z')/2.
 */
export class PowerSpectrum {
  readonly size: number;
  readonly #half: Fft;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  constructor(size: number) {
    powerOfTwo("PowerSpectrum", size, 2);
    this.size = size;
    this.#half = new Fft(size / 2);
    this.#re = new Float64Array(size / 2);
    this.#im = new Float64Array(size / 2);
    this.#cos = Float64Array.from({ length: size / 2 + 1 }, (_, j) => Math.cos((2 * Math.PI * j) / size));
    this.#sin = Float64Array.from({ length: size / 2 + 1 }, (_, j) => Math.sin((2 * Math.PI * j) / size));
  }

  /** Writes the N/2 + 1 powers of `samples` (N of them) into `power`, and gives it back. */
  of(samples: Float64Array, power: Float64Array = new Float64Array(this.size / 2 + 1)): Float64Array {
    const [re, im, n] = [this.#re, this.#im, this.size / 2];
    if (samples.length !== this.size || power.length !== n + 1) {
      throw new RangeError(
        `PowerSpectrum: expected ${this.size} samples and room for ${n + 1} powers, found ${samples.length} and ${power.length}`,
      );
    }
    for (let i = 0; i < n; i++) {
      re[i] = samples[2 * i]!;
      im[i] = samples[2 * i + 1]!;
    }
    this.#half.transform(re, im);
    for (let j = 0; j <= n; j++) {
      const [a, b] = [j === n ? 0 : j, j === 0 ? 0 : n - j];
      const [evenRe, evenIm] = [(re[a]! + re[b]!) / 2, (im[a]! - im[b]!) / 2];
      const [oddRe, oddIm] = [(im[a]! + im[b]!) / 2, (re[b]! - re[a]!) / 2];
      const [c, s] = [this.#cos[j]!, this.#sin[j]!];
      const x = evenRe + c * oddRe + s * oddIm;
      const y = evenIm + c * oddIm - s * oddRe;
      power[j] = x * x + y * y;
    }
    return power;
  }
}

function powerOfTwo(who: string, size: number, least: number): void {
  if (!Number.isInteger(size) || size < least || size > 2 ** 24 || (size & (size - 1)) !== 0) {
    throw new RangeError(`${who}: the size must be a power of two from ${least} to 2^24, is ${size}`);
  }
}
