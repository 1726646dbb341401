import { concat } from "./arithmetic.ts";
import { type Array64, array, map } from "./array.ts";
import { softmax } from "./losses.ts";

/** Is modality m of example n there? `present` [N,M] holds 1 or 0; without it all are. */
const presence = (present: Array64 | undefined, n: number, m: number): number =>
  present ? present.data[n * present.shape[1]! + m]! : 1;

/** y[n] = [present[n,0]·x₀[n], present[n,1]·x₁[n], …] for modalities xₘ [N,Dₘ]. */
export const concatFusion = (xs: readonly Array64[], present?: Array64): Array64 =>
  concat(
    xs.map((x, m) => map(x, (value, i) => presence(present, Math.floor(i / x.shape[1]!), m) * value)),
    { axis: 1 },
  );

/** y[n] = Σₘ c[n,m] · xₘ[n] for modalities of one size D. */
function combine(xs: readonly Array64[], share: (n: number) => number[]): Array64 {
  const [N, D] = xs[0]!.shape as [number, number];
  const y = array([N, D]);
  for (let n = 0; n < N; n++) {
    const c = share(n);
    xs.forEach((x, m) => {
      for (let d = 0; d < D; d++) y.data[n * D + d]! += c[m]! * x.data[n * D + d]!;
    });
  }
  return y;
}

/** The mean of what is present, zero when nothing is: y = Σₘ presentₘ·xₘ / max(1, Σₘ presentₘ) */
export const averageFusion = (xs: readonly Array64[], present?: Array64): Array64 =>
  combine(xs, (n) => {
    const there = xs.map((_, m) => presence(present, n, m));
    const total = there.reduce((a, b) => a + b, 0);
    return there.map((p) => p / Math.max(1, total));
  });

/** y = Σₘ cₘ·xₘ with s = softmax(weights [M]) and cₘ = presentₘ·sₘ / Σₖ presentₖ·sₖ; zero when nothing is present. */
export const weightedFusion = (xs: readonly Array64[], weights: Array64, present?: Array64): Array64 => {
  const s = softmax(weights).data;
  return combine(xs, (n) => {
    const there = xs.map((_, m) => presence(present, n, m) * s[m]!);
    const total = there.reduce((a, b) => a + b, 0);
    return there.map((p) => (total > 0 ? p / total : 0));
  });
};
