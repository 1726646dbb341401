import { checkList, checkNumber, describe, type NumberRule, number } from "../check.ts";
import { exp, ln } from "./elementary.ts";

/** What can be shuffled in place: an array, plain or typed. */
export interface Shuffled {
  /** How many items there are. */
  readonly length: number;
  /** The items. */
  [index: number]: unknown;
}

/** Refuses what is no stream of random numbers, such as a seed. Undefined stands for none. */
export function expectRandom(operation: string, random: unknown): asserts random is Random | undefined {
  if (random === undefined || random instanceof Random) return;
  throw new TypeError(
    `${operation}: random is ${describe(random)}, expected a Random, such as new Random("order", 1).`,
  );
}

/**
 * Seeded random numbers: sfc32 (Chris Doty-Humphrey, PractRand), 128 bits of state, period at least 2^32.
 *
 * Not the engine's generator on the device and not for secrets. The same parts give the same numbers on every machine
 * and in every browser: nothing here depends on a function whose last bit an engine may choose.
 *
 * @example
 * const random = new Random("noise", 1);
 * const order = random.shuffle([0, 1, 2, 3]);
 */
export class Random {
  readonly #s: Int32Array;

  /**
   * One stream for each list of parts, such as `new Random("noise", seed, index)`. Streams of different lists are
   * independent, also where the lists differ by one bit. A number and its text are the same part: 7 is "7".
   *
   * @param parts what names the stream.
   * @throws TypeError or RangeError where a part is neither a text nor a finite number.
   */
  constructor(...parts: readonly (string | number)[]) {
    for (const [i, part] of parts.entries()) {
      if (typeof part !== "string") checkNumber("Random", `part ${i}`, part, number.finite);
    }
    const name = JSON.stringify(parts.map(String)); // so that ["ab"] and ["a", "b"] differ
    this.#s = Int32Array.of(murmur3(name, 1), murmur3(name, 2), murmur3(name, 3), 1);
    for (let i = 0; i < 12; i++) this.#next(); // sfc32 asks for it: the three words of the seed have to mix
  }

  /** @returns a number uniform in [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return (this.#next() >>> 0) / 2 ** 32;
  }

  /**
   * @param n from 1 to 2^32.
   * @returns a whole number uniform over 0 … n-1; the odds of two results differ by less than n / 2^32.
   * @throws RangeError where n is none.
   */
  integer(n: number): number {
    checkNumber("Random.integer", "n", n, CHOICES);
    return Math.floor(this.uniform() * n);
  }

  /**
   * Normal with mean 0 and deviation 1, by the ziggurat (Marsaglia & Tsang 2000, in the form of Doornik 2005): 128
   * layers of equal area under e^(-x²/2). A point in a layer is nearly always inside the curve, and then costs two
   * random words and a product.
   *
   * @returns a number from the standard normal distribution.
   */
  normal(): number {
    for (;;) {
      const layer = this.#next() & (LAYERS - 1);
      const u = this.#next() / 2 ** 31; // [-1, 1)
      const right = EDGE[layer]!;
      const x = u * right;
      if (Math.abs(u) < INSIDE[layer]!) return x;
      if (layer === 0) return u < 0 ? -this.#tail() : this.#tail();
      const high = exp(-0.5 * (right * right - x * x));
      const low = exp(-0.5 * (EDGE[layer + 1]! ** 2 - x * x));
      if (low + this.uniform() * (high - low) < 1) return x;
    }
  }

  /**
   * @param items at least one.
   * @returns one of them, uniformly.
   * @throws RangeError where there are none.
   */
  choice<T>(items: ArrayLike<T>): T {
    if (items.length === 0) throw new RangeError("Random.choice: there is nothing to choose from (0 items)");
    return items[this.integer(items.length)]!;
  }

  /**
   * Shuffles in place (Fisher-Yates).
   *
   * @param array to shuffle.
   * @returns the same array.
   * @throws TypeError where it is none.
   */
  shuffle<A extends Shuffled>(array: A): A {
    checkList("Random.shuffle", "the array", array, "an array, plain or typed");
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [array[i], array[j]] = [array[j], array[i]];
    }
    return array;
  }

  /** @returns the state of the stream: four integers, fit for JSON. */
  state(): number[] {
    return [...this.#s];
  }

  /**
   * Continues from a state.
   *
   * @param state what `state()` returned.
   * @throws TypeError where it is none.
   */
  restore(state: readonly number[]): void {
    if (!Array.isArray(state) || state.length !== 4 || !state.every((word) => (word | 0) === word)) {
      throw new TypeError(
        `Random.restore: expected the four integers that state() gave, found ${Array.isArray(state) ? JSON.stringify(state) : describe(state)}`,
      );
    }
    this.#s.set(state);
  }

  /** The next 32 bits, as a signed integer. */
  #next(): number {
    const s = this.#s;
    const [b, c, counter] = [s[1]!, s[2]!, s[3]!];
    const result = (s[0]! + b + counter) | 0;
    s[0] = b ^ (b >>> 9);
    s[1] = c + (c << 3);
    s[2] = ((c << 21) | (c >>> 11)) + result;
    s[3] = counter + 1;
    return result;
  }

  /** A normal number beyond TAIL (Marsaglia 1964). 1 - uniform() is never 0, so the logarithm is finite. */
  #tail(): number {
    for (;;) {
      const x = -ln(1 - this.uniform()) / TAIL;
      const y = -ln(1 - this.uniform());
      if (2 * y >= x * x) return TAIL + x;
    }
  }
}

const CHOICES: NumberRule = {
  holds: (n) => Number.isInteger(n) && n >= 1 && n <= 2 ** 32,
  expected: "a whole number from 1 to 2^32",
};

const LAYERS = 128;
/** Where the tail begins, and the area of each of the 128 layers (Marsaglia & Tsang 2000). */
const TAIL = 3.442619855899;
const AREA = 9.91256303526217e-3;

/** Right edges of the layers, from the bottom one (as wide as a box of its area would be) to 0 at the top. */
const EDGE = new Float64Array(LAYERS + 1);
/** Share of a layer's width that is inside the curve at any height. */
const INSIDE = new Float64Array(LAYERS);

EDGE[0] = AREA / exp(-0.5 * TAIL * TAIL);
EDGE[1] = TAIL;
for (let i = 2; i < LAYERS; i++) {
  const below = EDGE[i - 1]!;
  EDGE[i] = Math.sqrt(-2 * ln(AREA / below + exp(-0.5 * below * below)));
}
for (let i = 0; i < LAYERS; i++) INSIDE[i] = EDGE[i + 1]! / EDGE[i]!;

/** MurmurHash3 (Austin Appleby), 32 bits, one block for each UTF-16 unit. */
function murmur3(text: string, seed: number): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) {
    const k = Math.imul(rotate(Math.imul(text.charCodeAt(i), 0xcc9e2d51), 15), 0x1b873593);
    h = Math.imul(rotate(h ^ k, 13), 5) + 0xe6546b64;
  }
  h ^= text.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
