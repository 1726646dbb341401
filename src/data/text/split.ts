import { checkObject } from "../../check.ts";
import { DataError } from "../errors.ts";

/** How a text becomes words. */
export interface TextRules {
  /** Capital letters become small ones. Default true. */
  readonly lower: boolean;
  /** Each of these characters separates words; by character, it is left out. */
  readonly filters: string;
  /** What stands between words; null: any white space. */
  readonly separator: string | null;
  /** A word is what stands between separators, or a single character (a code point: what Chinese needs). */
  readonly level: "word" | "character";
}

/** What Keras's Tokenizer takes for no part of a word: all ASCII punctuation but the apostrophe, tab and newline. */
export const KERAS_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n';

/** Words between white space, in small letters. */
export const WHITE_SPACE: TextRules = { lower: true, filters: "", separator: null, level: "word" };

/**
 * The words of a text, as Keras's `text_to_word_sequence`: lower case, filtered characters become separators, split.
 * By character it is each code point, without the filtered ones.
 *
 * @param text to split.
 * @param rules case, filters, separator and level.
 * @returns its words.
 * @throws DataError where the text is no string.
 * @example splitText("Seven, please!", { lower: true, filters: KERAS_FILTERS, separator: " ", level: "word" });
 */
export function splitText(text: string, rules: TextRules): string[] {
  if (typeof text !== "string") throw new DataError(`splitText: the text is ${typeof text}, expected a string`);
  checkObject("splitText", "rules", rules, "{ lower, filters, separator, level }");
  checkRules(rules, "splitText");
  const { lower, filters, separator, level } = rules;
  const letters = lower ? text.toLowerCase() : text;
  const filtered = new Set(filters);
  if (level === "character") return [...letters].filter((character) => !filtered.has(character));
  const between = separator ?? " ";
  const clean = filtered.size === 0 ? letters : Array.from(letters, (c) => (filtered.has(c) ? between : c)).join("");
  return clean.split(separator ?? /\s+/).filter(Boolean);
}

/** @throws DataError naming what is not a rule. */
export function checkRules(rules: TextRules, operation = "Tokenizer"): void {
  const { lower, filters, separator, level } = rules;
  const fine =
    typeof lower === "boolean" &&
    typeof filters === "string" &&
    (separator === null || (typeof separator === "string" && separator !== "")) &&
    (level === "word" || level === "character");
  if (!fine) {
    throw new DataError(
      `${operation}: expected { lower: boolean, filters: string, separator: string or null, level: "word" or "character" }, found ${JSON.stringify({ lower, filters, separator, level })}`,
    );
  }
}
