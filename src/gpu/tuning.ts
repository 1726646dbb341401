import { checkName } from "../check.ts";

/*
 * The right tile for one device is wrong for another, so heavy kernels come in several variants, and `engine.tune` measures
 * them on the adapter at hand. Another variant may sum in another order: what was chosen is part of a run's configuration.
 */

/** What a device's defaults follow: whether it computes on the CPU, beside it, or on a card of its own. */
export type DeviceKind = "software" | "integrated" | "discrete";

/** What was measured on an adapter: the best variant for each family of kernels and class of sizes. */
export interface TuningResult {
  /** Version of the form. */
  readonly v: 2;
  /** The adapter that it was measured on, as `engine.adapter` names it. */
  readonly adapter: string;
  /** The fastest variant by autotune key, such as `"matmul 64 × 64"`, or by kernel alone. */
  readonly variants: Readonly<Record<string, string>>;
}

/** Which variants of its kernels an engine uses: `engine.tuning`. */
export class Tuning {
  readonly #variants = new Map<string, string>();

  /** @internal */
  constructor(
    /** The adapter that it is for, as `engine.adapter` names it. */
    readonly adapter: string,
    /** What the defaults follow where nothing was measured. */
    readonly kind: DeviceKind,
    /** The variants that there are, by family of kernels. */
    readonly known: ReadonlyMap<string, readonly string[]>,
  ) {}

  /** @internal The variant for a key, or for its whole family where `import` named one. */
  get(family: string, key: string): string | undefined {
    return this.#variants.get(key) ?? this.#variants.get(family);
  }

  /** @internal */
  has(key: string): boolean {
    return this.#variants.has(key);
  }

  /** @internal */
  set(key: string, variant: string): void {
    this.#variants.set(key, variant);
  }

  /** Forgets what was measured or imported: all work is done by its default again, until it is tuned anew. */
  clear(): void {
    this.#variants.clear();
  }

  /**
   * What was measured or imported, to be saved beside a run and given to `import` when it is repeated or resumed.
   *
   * @returns an object fit for JSON.
   */
  export(): TuningResult {
    return { v: 2, adapter: this.adapter, variants: Object.fromEntries(this.#variants) };
  }

  /**
   * Takes over what was measured before. A key that is a family alone (`{ matmul: "shared" }`) stands for all of its
   * sizes that have no entry of their own; a variant that a piece of work does not have leaves it at its default.
   *
   * @param result what `export` gave on this adapter.
   * @throws TypeError where it is no tuning result, names kernels or variants that there are not, as those of version 0.1, or is
   * another adapter's: its speeds would be wrong, and its bits too. Nothing is taken over then.
   */
  import(result: TuningResult): void {
    const { v, variants } = (result ?? {}) as Partial<TuningResult>;
    if ((v as number) === 1)
      throw new TypeError(
        "tuning.import: this was measured by version 0.1, whose variants had other names. Call engine.tune again.",
      );
    const table = typeof variants === "object" && variants !== null && !Array.isArray(variants);
    if (v !== 2 || !table || !Object.values(variants).every((variant) => typeof variant === "string"))
      throw new TypeError(
        "tuning.import: this is not a result of tuning.export: expected { v: 2, adapter, variants }.",
      );
    if (result.adapter !== this.adapter)
      throw new TypeError(
        `tuning.import: measured on "${result.adapter}", but this is "${this.adapter}". Call engine.tune here instead.`,
      );
    for (const [key, variant] of Object.entries(variants)) {
      const [family = ""] = key.split(" ");
      const names = this.known.get(family);
      if (!names) checkName("tuning.import", "a kernel", family, [...this.known.keys()]);
      else checkName("tuning.import", `the variant for ${key}`, variant, names);
    }
    for (const [key, variant] of Object.entries(variants)) this.#variants.set(key, variant);
  }
}
