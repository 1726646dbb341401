import { checkNumber, type NumberRule } from "../../check.ts";

/** A transform of N complex numbers in place. */
type Transform = (re: Float64Array, im: Float64Array) => void;

/** How large a transform may be: three tables of twice the size are made for it. */
const LARGEST = 2 ** 24;

/**
 * Discrete Fourier transform of N complex numbers, in place: X[j] = Σ x[n]·e^(-2πi·jn/N). Any N up to 2^24, by Cooley and
 * Tukey (1965) for powers of two, which are the fastest, else by Bluestein (1970).
 *
 * @example
 * const [re, im] = [Float64Array.of(1, 2, 3), new Float64Array(3)];
 * new Fft(3).transform(re, im); // re [6, -1.5, -1.5]
 */
export class Fft {
  /** N. */
  readonly size: number;
  readonly #transform: Transform;

  /**
   * @param size N, from 1 to 2^24; its tables are made once.
   * @throws RangeError where it is none.
   */
  constructor(size: number) {
    checkNumber("Fft", "size", size, sizeFrom(1));
    this.size = size;
    this.#transform = (size & (size - 1)) === 0 ? radix2(size) : bluestein(size);
  }

  /**
   * Transforms N numbers in place.
   *
   * @param re [N], their real parts.
   * @param im [N], their imaginary parts.
   * @throws RangeError where there are not N of both.
   */
  transform(re: Float64Array, im: Float64Array): void {
    const { size } = this;
    if (re.length !== size || im.length !== size) {
      throw new RangeError(`Fft: expected ${size} real and imaginary parts, found ${re.length} and ${im.length}`);
    }
    this.#transform(re, im);
  }
}

/** 2^k numbers: decimation in time (Cooley & Tukey 1965), with its tables made once. */
function radix2(size: number): Transform {
  const cos = Float64Array.from({ length: size / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / size));
  const sin = Float64Array.from({ length: size / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / size));
  const reversed = new Uint32Array(size);
  for (let i = 1; i < size; i++) reversed[i] = (reversed[i >> 1]! >> 1) | (i & 1 ? size >> 1 : 0);
  return (re, im) => {
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
  };
}

/**
 * Any other number of them (Bluestein 1970): jn = (j² + n² - (j - n)²)/2 makes a convolution of the sum,
 * X[j] = c[j]·Σ (x[n]·c[n])·conj c[j - n] with c[n] = e^(-πi·n²/N), which is done by transforms of M = 2^k ≥ 2N - 1 numbers.
 */
function bluestein(size: number): Transform {
  const M = 2 ** Math.ceil(Math.log2(2 * size - 1));
  const transform = radix2(M);
  const [cos, sin] = [new Float64Array(size), new Float64Array(size)];
  const [filterRe, filterIm] = [new Float64Array(M), new Float64Array(M)];
  for (let n = 0, square = 0; n < size; n++) {
    // n² modulo 2N, which is all that the angle depends on: n² itself would cost its last digits.
    cos[n] = Math.cos((Math.PI * square) / size);
    sin[n] = -Math.sin((Math.PI * square) / size);
    square = (square + 2 * n + 1) % (2 * size);
    for (const at of [n, (M - n) % M]) {
      filterRe[at] = cos[n]!;
      filterIm[at] = -sin[n]!;
    }
  }
  transform(filterRe, filterIm);
  const [a, b] = [new Float64Array(M), new Float64Array(M)];
  return (re, im) => {
    a.fill(0, size);
    b.fill(0, size);
    for (let n = 0; n < size; n++) {
      a[n] = re[n]! * cos[n]! - im[n]! * sin[n]!;
      b[n] = re[n]! * sin[n]! + im[n]! * cos[n]!;
    }
    transform(a, b);
    // The inverse transform is the forward one of the conjugate, conjugated, over M.
    for (let k = 0; k < M; k++) {
      const [x, y] = [a[k]!, b[k]!];
      a[k] = x * filterRe[k]! - y * filterIm[k]!;
      b[k] = -(x * filterIm[k]! + y * filterRe[k]!);
    }
    transform(a, b);
    for (let j = 0; j < size; j++) {
      const [x, y] = [a[j]! / M, -b[j]! / M];
      re[j] = x * cos[j]! - y * sin[j]!;
      im[j] = x * sin[j]! + y * cos[j]!;
    }
  };
}

/**
 * Power spectrum of N real numbers: P[j] = |X[j]|², j = 0 … ⌊N/2⌋.
 *
 * Where N is even, even samples become real parts and odd ones imaginary parts of N/2 complex numbers, so that one
 * transform of half the size is enough: with Z their transform, Z' its mirror conj Z[N/2-j],
 * X[j] = (Z[j] + Z')/2 - i·e^(-2πi·j/N)·(Z[j] - Z')/2.
 *
 * @example
 * const spectrum = new PowerSpectrum(256);
 * const power = new Float64Array(spectrum.bins);
 * spectrum.of(frame, power);
 */
export class PowerSpectrum {
  /** N. */
  readonly size: number;
  /** How many powers there are: ⌊N/2⌋ + 1. */
  readonly bins: number;
  readonly #fft: Fft;
  readonly #re: Float64Array;
  readonly #im: Float64Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  /**
   * @param size N, from 2 to 2^24.
   * @throws RangeError where it is none.
   */
  constructor(size: number) {
    checkNumber("PowerSpectrum", "size", size, sizeFrom(2));
    this.size = size;
    this.bins = Math.floor(size / 2) + 1;
    const length = size % 2 === 0 ? size / 2 : size;
    this.#fft = new Fft(length);
    this.#re = new Float64Array(length);
    this.#im = new Float64Array(length);
    this.#cos = Float64Array.from({ length: this.bins }, (_, j) => Math.cos((2 * Math.PI * j) / size));
    this.#sin = Float64Array.from({ length: this.bins }, (_, j) => Math.sin((2 * Math.PI * j) / size));
  }

  /**
   * The power spectrum of N samples.
   *
   * @param samples [N]
   * @param power [⌊N/2⌋ + 1], where to write. Default: a new array.
   * @returns `power`.
   * @throws RangeError where samples or room are not as many.
   */
  of(samples: Float64Array, power: Float64Array = new Float64Array(this.bins)): Float64Array {
    if (samples.length !== this.size || power.length !== this.bins) {
      throw new RangeError(
        `PowerSpectrum: expected ${this.size} samples and room for ${this.bins} powers, found ${samples.length} and ${power.length}`,
      );
    }
    if (this.size % 2 === 0) this.#even(samples, power);
    else this.#odd(samples, power);
    return power;
  }

  #odd(samples: Float64Array, power: Float64Array): void {
    const [re, im] = [this.#re, this.#im];
    re.set(samples);
    im.fill(0);
    this.#fft.transform(re, im);
    for (let j = 0; j < this.bins; j++) power[j] = re[j]! ** 2 + im[j]! ** 2;
  }

  #even(samples: Float64Array, power: Float64Array): void {
    const [re, im, n] = [this.#re, this.#im, this.size / 2];
    for (let i = 0; i < n; i++) {
      re[i] = samples[2 * i]!;
      im[i] = samples[2 * i + 1]!;
    }
    this.#fft.transform(re, im);
    for (let j = 0; j <= n; j++) {
      const [a, b] = [j === n ? 0 : j, j === 0 ? 0 : n - j];
      const [evenRe, evenIm] = [(re[a]! + re[b]!) / 2, (im[a]! - im[b]!) / 2];
      const [oddRe, oddIm] = [(im[a]! + im[b]!) / 2, (re[b]! - re[a]!) / 2];
      const [c, s] = [this.#cos[j]!, this.#sin[j]!];
      const x = evenRe + c * oddRe + s * oddIm;
      const y = evenIm + c * oddIm - s * oddRe;
      power[j] = x * x + y * y;
    }
  }
}

function sizeFrom(lowest: number): NumberRule {
  return {
    holds: (x) => Number.isInteger(x) && x >= lowest && x <= LARGEST,
    expected: `a whole number from ${lowest} to 2^24`,
  };
}
