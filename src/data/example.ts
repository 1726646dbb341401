/** One thing to name, given three ways. */
export interface Example {
  /** Stable: the same id is the same example in every run of the same seed. */
  readonly id: string;
  /** The index of its class. */
  readonly label: number;
  /** Row-major, 0 to 1. */
  readonly image: Float32Array;
  /** Word ids, padded with 0 at the end. */
  readonly words: Int32Array;
  /** [frames, bands] row-major, padded with zeros at the end to the longest length allowed. */
  readonly audio: Float32Array;
  /** How many frames of `audio` are sound. */
  readonly frames: number;
}

/** Examples, made when first asked for. */
export interface ExampleSet<E extends Example = Example> {
  /** What the set is called, such as "train". */
  readonly name: string;
  /** How many examples there are. */
  readonly length: number;
  /** The label of each example; reading them makes no example. */
  readonly labels: Int32Array;
  /** @throws RangeError if there is no example `i`. */
  at(i: number): E;
}
