import { checkList, checkName, checkNumber, checkOptions, type NumberRule, number } from "../../check.ts";
import { DataError } from "../errors.ts";
import { PADDING } from "./tokenizer.ts";

/** What an Int32Array keeps as it is. */
const ID: NumberRule = { holds: (x) => (x | 0) === x, expected: "a whole number of 32 bits" };

/** How `padSequences` pads and truncates. */
export interface PadOptions {
  /** Length of every sequence. Default: the longest one's. */
  readonly maxLen?: number;
  /** Where what is missing is filled in. Default pre. */
  readonly padding?: "pre" | "post";
  /** Where what is too much is left out. Default pre. */
  readonly truncating?: "pre" | "post";
  /** What is filled in. Default 0. */
  readonly value?: number;
}

/** Sequences of one length. */
export interface PaddedSequences {
  /** [N, L], row-major. */
  readonly data: Int32Array;
  /** N and L. */
  readonly shape: [number, number];
}

/**
 * Sequences of ids as one array of equal lengths: Keras's `pad_sequences`, with its defaults (both in front).
 *
 * @param sequences N of them, of any lengths.
 * @param options length, sides and padding value.
 * @returns `data` [N, L] and its shape.
 * @throws DataError where an id is no whole number of 32 bits; RangeError or TypeError naming the option that cannot be.
 * @example const { data, shape } = padSequences(tokenizer.transform(texts), { maxLen: 20 });
 */
export function padSequences(sequences: readonly ArrayLike<number>[], options: PadOptions = {}): PaddedSequences {
  checkOptions<PadOptions>("padSequences", options, { maxLen: true, padding: true, truncating: true, value: true });
  checkList("padSequences", "sequences", sequences, "a list of lists of ids");
  sequences.forEach((sequence, i) => {
    checkList("padSequences", `sequence ${i}`, sequence, "a list of ids");
  });
  const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0);
  const { maxLen = longest, padding = "pre", truncating = "pre", value = PADDING } = options;
  checkName("padSequences", "padding", padding, ["pre", "post"]);
  checkName("padSequences", "truncating", truncating, ["pre", "post"]);
  if (options.maxLen !== undefined) checkNumber("padSequences", "maxLen", maxLen, number.wholeAtLeast1);
  checkNumber("padSequences", "value", value, ID);
  const data = new Int32Array(sequences.length * maxLen).fill(value);
  for (const [i, sequence] of sequences.entries()) {
    const kept = Math.min(sequence.length, maxLen);
    const from = truncating === "pre" ? sequence.length - kept : 0;
    const to = i * maxLen + (padding === "pre" ? maxLen - kept : 0);
    for (let j = 0; j < kept; j++) {
      const id = sequence[from + j]!;
      if (!ID.holds(id))
        throw new DataError(`padSequences: id ${from + j} of sequence ${i} is ${id}, expected ${ID.expected}`);
      data[to + j] = id;
    }
  }
  return { data, shape: [sequences.length, maxLen] };
}
