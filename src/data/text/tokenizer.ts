import {
  checkIterable,
  checkList,
  checkNumber,
  checkOptions,
  checkText,
  describe,
  type Known,
  listOf,
  number,
} from "../../check.ts";
import { DataError } from "../errors.ts";
import { checkRules, KERAS_FILTERS, splitText, type TextRules, WHITE_SPACE } from "./split.ts";

/** The id of padding: no word. */
export const PADDING = 0;
/** The id of the out-of-vocabulary word. */
export const UNKNOWN = 1;

/** How a tokenizer splits text, and what it does with words that its vocabulary lacks. */
export interface TokenizerOptions extends Partial<TextRules> {
  /** Ids from here on are not used: only the first numWords - 1 ids are words. Default null: all are. */
  readonly numWords?: number | null;
  /** What stands for words the vocabulary lacks, with id 1; null: they are left out, and words begin at id 1. */
  readonly outOfVocabulary?: string | null;
}

/** A tokenizer as JSON: what `toJSON` gives and `fromJSON` takes. */
export interface TokenizerJson extends TokenizerOptions {
  /** The words of the vocabulary, in the order of their ids. */
  words: string[];
}

/**
 * Words ↔ ids. 0 is padding, 1 is an unknown word, the vocabulary follows from 2 on in the order given; without an
 * out-of-vocabulary word it follows from 1 on.
 *
 * `Tokenizer.fit` makes one from texts with the rules and the ids of Keras's `Tokenizer`; `new Tokenizer` takes a list
 * of words, which by default are what stands between white space, in small letters.
 *
 * @example
 * const tokenizer = Tokenizer.fit(["an odd number", "a number over four"]);
 * const ids = tokenizer.transform(["an even number"]); // "even" is unknown and left out
 */
export class Tokenizer {
  /** The word of each id, those that numWords leaves out included. */
  readonly vocabulary: readonly string[];
  /** All options, defaults among them. */
  readonly options: Required<TokenizerOptions>;
  readonly #ids: ReadonlyMap<string, number>;

  /**
   * @param words of the vocabulary, in the order of their ids.
   * @param options how text is split; by default at white space, in lower case.
   * @throws DataError if a word is not one by the rules (empty, with a space, a capital letter …), or occurs twice.
   */
  constructor(words: readonly string[], options: TokenizerOptions = {}) {
    checkList("Tokenizer", "words", words, "a list of words");
    checkOptions<TokenizerOptions>("Tokenizer", options, KNOWN);
    this.options = { ...WHITE_SPACE, numWords: null, outOfVocabulary: "<unknown>", ...given(options) };
    const { numWords, outOfVocabulary } = this.options;
    checkRules(this.options);
    if (numWords !== null && !(Number.isInteger(numWords) && numWords > 0)) {
      throw new DataError(`Tokenizer: numWords must be a whole number above 0 or null, is ${numWords}`);
    }
    if (outOfVocabulary !== null && typeof outOfVocabulary !== "string") {
      throw new DataError(`Tokenizer: outOfVocabulary must be a word or null, is ${JSON.stringify(outOfVocabulary)}`);
    }
    this.vocabulary = ["<padding>", ...(outOfVocabulary === null ? [] : [outOfVocabulary]), ...words];
    const first = this.vocabulary.length - words.length;
    const ids = new Map<string, number>();
    for (const [i, word] of words.entries()) {
      const split = splitText(word, this.options);
      if (split.length !== 1 || split[0] !== word) {
        throw new DataError(`Tokenizer: word ${i} of the vocabulary is "${word}", expected one word in small letters`);
      }
      if (ids.has(word)) throw new DataError(`Tokenizer: "${word}" occurs twice in the vocabulary, expected it once`);
      ids.set(word, first + i);
    }
    this.#ids = ids;
  }

  /**
   * A tokenizer of all words of some texts, alphabetically; words are separated by white space.
   *
   * @param texts of any number.
   * @returns the tokenizer.
   */
  static of(texts: Iterable<string>): Tokenizer {
    return new Tokenizer(
      [
        ...new Set(
          listOf("Tokenizer.of", "texts", texts, "a list of texts").flatMap((text) => splitText(text, WHITE_SPACE)),
        ),
      ].sort(),
    );
  }

  /**
   * A tokenizer of the words of some texts, the most frequent first, equally frequent ones in order of first occurrence:
   * Keras's `Tokenizer(…).fit_on_texts(texts)`, with its defaults. By character nothing is filtered by default, as there.
   *
   * @param texts of any number.
   * @param options how text is split, and what becomes of unknown words.
   * @returns the tokenizer.
   * @throws DataError or RangeError naming the option that cannot be.
   */
  static fit(texts: Iterable<string>, options: TokenizerOptions = {}): Tokenizer {
    checkIterable("Tokenizer.fit", "texts", texts);
    checkOptions<TokenizerOptions>("Tokenizer.fit", options, KNOWN);
    const filters = options.level === "character" ? "" : KERAS_FILTERS;
    const all = { ...WHITE_SPACE, separator: " ", filters, outOfVocabulary: null, ...given(options) };
    checkRules(all);
    const counts = new Map<string, number>();
    for (const text of texts) {
      for (const word of splitText(text, all)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    // Sorting is stable: words of one count stay in the order of the map, which is the order they were met in.
    const words = [...counts].sort(([, a], [, b]) => b - a).map(([word]) => word);
    return new Tokenizer(words, all);
  }

  /** How many ids there are, padding and unknown included: the rows of an embedding table. */
  get size(): number {
    return Math.min(this.vocabulary.length, this.options.numWords ?? Number.POSITIVE_INFINITY);
  }

  /**
   * @param word as the rules split it.
   * @returns its id, or that of the out-of-vocabulary word; undefined where there is neither.
   */
  id(word: string): number | undefined {
    checkText("Tokenizer.id", "the word", word);
    const id = this.#ids.get(word);
    if (id !== undefined && id < this.size) return id;
    return this.options.outOfVocabulary === null ? undefined : UNKNOWN;
  }

  /**
   * The ids of texts: Keras's `texts_to_sequences`. `padSequences` makes an array of them.
   *
   * @param texts N of them.
   * @returns [N][words]
   */
  transform(texts: Iterable<string>): number[][] {
    checkIterable("Tokenizer.transform", "texts", texts);
    return Array.from(texts, (text) =>
      splitText(text, this.options)
        .map((word) => this.id(word))
        .filter((id) => id !== undefined),
    );
  }

  /**
   * The ids of one text, truncated or padded at the end.
   *
   * @param text to encode.
   * @param length L.
   * @returns [L]
   * @throws RangeError where the length is no whole number of at least 0.
   */
  encode(text: string, length: number): Int32Array {
    checkNumber("Tokenizer.encode", "length", length, number.wholeAtLeast0);
    const ids = new Int32Array(length);
    ids.set(this.transform([text])[0]!.slice(0, length));
    return ids;
  }

  /**
   * The text of ids, without padding; an unknown id is the out-of-vocabulary word, or left out.
   *
   * @param ids such as `encode` gives.
   * @returns words with spaces between, or characters.
   * @throws RangeError where an id is no whole number of at least 0.
   */
  decode(ids: Iterable<number>): string {
    const { level, outOfVocabulary } = this.options;
    const all = listOf("Tokenizer.decode", "ids", ids, "a list of ids");
    for (const [i, id] of all.entries()) checkNumber("Tokenizer.decode", `id ${i}`, id, number.wholeAtLeast0);
    return all
      .filter((id) => id !== PADDING)
      .map((id) => (id < this.size ? this.vocabulary[id] : undefined) ?? outOfVocabulary)
      .filter((word) => word !== null)
      .join(level === "character" ? "" : " ");
  }

  /**
   * What `JSON.stringify` writes: the words, and options that differ from the defaults.
   *
   * @returns fit for JSON, for `fromJSON`.
   */
  toJSON(): TokenizerJson {
    const defaults: Required<TokenizerOptions> = { ...WHITE_SPACE, numWords: null, outOfVocabulary: "<unknown>" };
    const changed = Object.entries(this.options).filter(([key, x]) => x !== defaults[key as keyof TokenizerOptions]);
    return { words: this.vocabulary.slice(this.#firstWord), ...Object.fromEntries(changed) };
  }

  /**
   * A tokenizer from what `toJSON` gave.
   *
   * @param json parsed.
   * @returns the tokenizer.
   * @throws DataError if it is not what `toJSON` gives.
   */
  static fromJSON(json: unknown): Tokenizer {
    const { words, ...options } = (json ?? {}) as { words?: unknown } & TokenizerOptions;
    const unknown = Object.keys(options).find((key) => !Object.hasOwn(KNOWN, key));
    if (!Array.isArray(words) || !words.every((word) => typeof word === "string") || unknown !== undefined) {
      throw new DataError(`Tokenizer: expected { words: string[] } as toJSON() gives it, found ${shown(json)}`);
    }
    return new Tokenizer(words, options);
  }

  get #firstWord(): number {
    return this.options.outOfVocabulary === null ? 1 : 2;
  }
}

const KNOWN: Known<TokenizerOptions> = {
  lower: true,
  filters: true,
  separator: true,
  level: true,
  numWords: true,
  outOfVocabulary: true,
};

/** Without what is undefined, which stands for the default. */
function given(options: TokenizerOptions): TokenizerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** What was given in place of a tokenizer's JSON, short; some things JSON cannot hold. */
function shown(json: unknown): string {
  try {
    return (JSON.stringify(json) ?? describe(json)).slice(0, 200);
  } catch {
    return describe(json);
  }
}
