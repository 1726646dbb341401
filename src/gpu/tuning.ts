/*
 * The right tile for one device is wrong for another, so heavy kernels come in several ways, and `engine.tune` measures
 * them on the adapter at hand. Another way may sum in another order: what was chosen is part of a run's configuration.
 */

/** What a device's defaults follow: whether it computes on the CPU, beside it, or on a card of its own. */
export type DeviceKind = "software" | "integrated" | "discrete";

/** What was measured on an adapter: the best way for each family of kernels and class of sizes. */
export interface TuningResult {
  readonly v: 1;
  readonly adapter: string;
  readonly ways: Readonly<Record<string, string>>;
}

/** Which way to do what, on one adapter. */
export class Tuning {
  readonly #ways = new Map<string, string>();

  constructor(
    readonly adapter: string,
    readonly kind: DeviceKind,
  ) {}

  /** The way for a key, or for its whole family where `import` named one. */
  get(family: string, key: string): string | undefined {
    return this.#ways.get(key) ?? this.#ways.get(family);
  }

  has(key: string): boolean {
    return this.#ways.has(key);
  }

  set(key: string, way: string): void {
    this.#ways.set(key, way);
  }

  /** To be saved beside a run and given to `import` when it is repeated or resumed. */
  export(): TuningResult {
    return { v: 1, adapter: this.adapter, ways: Object.fromEntries(this.#ways) };
  }

  /**
   * Takes over what was measured before. A key that is a family alone (`{ matmul: "shared" }`) stands for all of its
   * sizes that have no entry of their own; a way that a piece of work does not have leaves it at its default.
   *
   * @throws TypeError where it is no tuning result, or another adapter's: its speeds would be wrong, and its bits too.
   */
  import(result: TuningResult): void {
    const ways = result?.ways;
    const table = typeof ways === "object" && ways !== null && !Array.isArray(ways);
    if (result?.v !== 1 || !table || !Object.values(ways).every((way) => typeof way === "string"))
      throw new TypeError("tuning.import: this is not a result of tuning.export: expected { v: 1, adapter, ways }.");
    if (result.adapter !== this.adapter)
      throw new TypeError(
        `tuning.import: measured on "${result.adapter}", but this is "${this.adapter}". Call engine.tune here instead.`,
      );
    for (const [key, way] of Object.entries(ways)) this.#ways.set(key, way);
  }
}
