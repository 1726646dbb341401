import type { AlgorithmState } from "./algorithm.ts";

/** The posterior of an example's label: q [A], summing to 1. */
export type Posterior = readonly number[];

/** How often which label went with a hint: n [A], less the prior. */
export class Hints {
  readonly #counts: Map<string, readonly number[]>;
  constructor(
    readonly classes: number,
    readonly prior: number,
    counts: AlgorithmState = {},
  ) {
    this.#counts = new Map(Object.entries(counts));
  }

  add(key: string, posterior: Posterior): void {
    this.#counts.set(
      key,
      this.#own(key).map((n, y) => n + posterior[y]!),
    );
  }

  /** h [A], not normalized. `own` is a posterior that is in the count, and is not to be. */
  get(key: string, own?: Posterior): number[] {
    return this.#own(key).map((n, y) => Math.max(n - (own?.[y] ?? 0), 0) + this.prior / this.classes);
  }

  #own(key: string): readonly number[] {
    return this.#counts.get(key) ?? new Array<number>(this.classes).fill(0);
  }

  state(): AlgorithmState {
    return Object.fromEntries(this.#counts);
  }
}

/** As shares of 1; equal ones where there is nothing. */
export function normalized(q: readonly number[]): number[] {
  const sum = q.reduce((a, b) => a + b, 0);
  return sum > 0 ? q.map((p) => p / sum) : q.map(() => 1 / q.length);
}
