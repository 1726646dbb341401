import { DataError } from "./errors.ts";

/** What stands for no word, and for a word the vocabulary lacks. */
export const PADDING = 0;
export const UNKNOWN = 1;

/** Words ↔ ids: 0 is padding, 1 is an unknown word, the vocabulary follows from 2 on in the order given. */
export class Tokeniser {
  /** The word of each id. */
  readonly vocabulary: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;

  /** @throws DataError if a word is empty, holds a space or a capital letter, or occurs twice. */
  constructor(words: readonly string[]) {
    this.vocabulary = ["<padding>", "<unknown>", ...words];
    const ids = new Map<string, number>();
    for (const [i, word] of words.entries()) {
      if (split(word).length !== 1 || split(word)[0] !== word) {
        throw new DataError(`Tokeniser: word ${i} of the vocabulary is "${word}", expected one word in small letters`);
      }
      if (ids.has(word)) throw new DataError(`Tokeniser: "${word}" occurs twice in the vocabulary, expected it once`);
      ids.set(word, UNKNOWN + 1 + i);
    }
    this.#ids = ids;
  }

  /** A tokeniser of all words of some texts, in the order of the alphabet. */
  static of(texts: Iterable<string>): Tokeniser {
    return new Tokeniser([...new Set([...texts].flatMap(split))].sort());
  }

  /** How many ids there are, padding and unknown included: the rows an embedding needs. */
  get size(): number {
    return this.vocabulary.length;
  }

  /** The ids of the words of `text`, padded at the end to `length`. What is beyond `length` words is left out. */
  encode(text: string, length: number): Int32Array {
    const ids = new Int32Array(length);
    const words = split(text).slice(0, length);
    ids.set(words.map((word) => this.#ids.get(word) ?? UNKNOWN));
    return ids;
  }

  /** The words of `ids`, without the padding. */
  decode(ids: Iterable<number>): string {
    return [...ids]
      .filter((id) => id !== PADDING)
      .map((id) => this.vocabulary[id] ?? this.vocabulary[UNKNOWN])
      .join(" ");
  }

  toJSON(): { words: string[] } {
    return { words: this.vocabulary.slice(UNKNOWN + 1) };
  }

  static fromJSON(json: unknown): Tokeniser {
    const words = (json as { words?: unknown } | null)?.words;
    if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) {
      throw new DataError(
        `Tokeniser: expected { words: string[] } as toJSON() gives it, found ${JSON.stringify(json)}`,
      );
    }
    return new Tokeniser(words);
  }
}

function split(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}
