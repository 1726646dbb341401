import { PADDING } from "./tokeniser.ts";

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

/**
 * Sequences of ids as one array [N, L] of equal lengths: Keras's `pad_sequences`, with its defaults (both in front).
 */
export function padSequences(
  sequences: readonly ArrayLike<number>[],
  options: PadOptions = {},
): { data: Int32Array; shape: [number, number] } {
  const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0);
  const { maxLen = longest, padding = "pre", truncating = "pre", value = PADDING } = options;
  for (const [name, side] of Object.entries({ padding, truncating })) {
    if (side !== "pre" && side !== "post")
      throw new RangeError(`padSequences: ${name} is ${side}, expected pre or post`);
  }
  if (!Number.isInteger(maxLen) || maxLen < (options.maxLen === undefined ? 0 : 1)) {
    throw new RangeError(`padSequences: maxLen must be a whole number above 0, is ${maxLen}`);
  }
  const data = new Int32Array(sequences.length * maxLen).fill(value);
  for (const [i, sequence] of sequences.entries()) {
    const kept = Math.min(sequence.length, maxLen);
    const from = truncating === "pre" ? sequence.length - kept : 0;
    const to = i * maxLen + (padding === "pre" ? maxLen - kept : 0);
    for (let j = 0; j < kept; j++) data[to + j] = sequence[from + j]!;
  }
  return { data, shape: [sequences.length, maxLen] };
}
