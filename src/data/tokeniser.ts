/** Words to numbers: 0 is padding, 1 any word that is not known, the known ones follow. */
export class Tokeniser {
  static readonly padding = 0;
  static readonly unknown = 1;
  readonly #ids: ReadonlyMap<string, number>;

  constructor(readonly words: readonly string[]) {
    this.#ids = new Map(words.map((word, i) => [word, i + 2]));
    if (this.#ids.size !== words.length) throw new RangeError("Tokeniser: a word occurs twice in the vocabulary.");
  }

  /** How many numbers there are, padding and unknown among them. */
  get size(): number {
    return this.words.length + 2;
  }

  /** The text's words, split at white space and in lower case: `length` numbers, padded or cut at the end. */
  encode(text: string, length: number): Int32Array {
    const ids = new Int32Array(length);
    const words = text
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word.length > 0);
    words.slice(0, length).forEach((word, i) => {
      ids[i] = this.#ids.get(word) ?? Tokeniser.unknown;
    });
    return ids;
  }

  /** The words again; padding is left out. */
  decode(ids: Iterable<number>): string {
    return [...ids]
      .filter((id) => id !== Tokeniser.padding)
      .map((id) => this.words[id - 2] ?? "?")
      .join(" ");
  }
}
