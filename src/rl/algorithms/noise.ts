/*
 * How many judgements are mistaken. A person who is asked whether an answer is right is mistaken with a share ε:
 *   P(said right) = (1 − ε) p + ε (1 − p),   P(said wrong) = (1 − ε)(1 − p) + ε p,
 * p the probability that the answer is right. The policy wrote down what it thought of that before it was judged, but
 * networks are too sure of themselves; so p = σ(τ · log odds of what it thought), τ ≤ 1 for one that is
 * overconfident (temperature scaling, Guo et al. 2017). Both ε and τ maximize the likelihood of the log: if even the surest answers
 * are called wrong now and then, people are mistaken, and if only the unsure ones are, the policy was overconfident.
 *
 * A weak prior, ε ~ Beta(1.5, 10), keeps the first dozens of judgements from being called all mistakes.
 */

export interface Verdict {
  /** What the policy thought, before it was judged: the probability of its answer. */
  readonly p: number;
  readonly reward: number;
}

const SHARES = Array.from({ length: 45 }, (_, i) => (i + 0.5) / 100);
const TEMPERATURES = [1.2, 1, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3];

/** ε, from 0.005 to 0.445, to a hundredth. Judgements that are neither right nor wrong (0) say nothing. */
export function estimateNoise(verdicts: readonly Verdict[]): number {
  const said = verdicts
    .filter(({ reward }) => reward !== 0)
    .map(({ p, reward }) => ({ odds: oddsOf(p), right: reward > 0 }));
  let best = { noise: SHARES[0]!, score: Number.NEGATIVE_INFINITY };
  for (const temperature of TEMPERATURES) {
    const known = said.map(({ odds, right }) => ({ p: 1 / (1 + Math.exp(-temperature * odds)), right }));
    for (const noise of SHARES) {
      let score = 0.5 * Math.log(noise) + 9 * Math.log(1 - noise);
      for (const { p, right } of known) {
        const yes = (1 - noise) * p + noise * (1 - p);
        score += Math.log(right ? yes : 1 - yes);
      }
      if (score > best.score) best = { noise, score };
    }
  }
  return best.noise;
}

const oddsOf = (p: number) => {
  const kept = Math.min(Math.max(p, 1e-4), 1 - 1e-4);
  return Math.log(kept / (1 - kept));
};
