import { describe, expect, test } from "vitest";
import { padSequences } from "../../../src/data/index.ts";

describe("padSequences is pad_sequences", () => {
  test("ids that are none are refused before they are rounded", () => {
    for (const id of [Number.NaN, 1.5, 2 ** 31, undefined as never]) {
      expect(() => padSequences([[1], [2, id]])).toThrow(
        `padSequences: id 1 of sequence 1 is ${id}, expected a whole number`,
      );
    }
    expect(() => padSequences([[1]], { value: 0.5 })).toThrow("value is 0.5");
    expect(() => padSequences([[1]], { maxlen: 3 } as object)).toThrow("Did you mean maxLen?");
  });

  const sequences = [[1], [2, 3], [4, 5, 6]];
  const rows = ({ data, shape: [n, l] }: { data: Int32Array; shape: [number, number] }) =>
    Array.from({ length: n }, (_, i) => [...data.subarray(i * l, (i + 1) * l)]);

  // The first four are the examples of Keras's documentation.
  test.each([
    [
      {},
      [
        [0, 0, 1],
        [0, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      { value: -1 },
      [
        [-1, -1, 1],
        [-1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      { padding: "post" },
      [
        [1, 0, 0],
        [2, 3, 0],
        [4, 5, 6],
      ],
    ],
    [
      { maxLen: 2 },
      [
        [0, 1],
        [2, 3],
        [5, 6],
      ],
    ],
    [
      { maxLen: 2, truncating: "post" },
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
    ],
    [
      { maxLen: 2, padding: "post", truncating: "pre" },
      [
        [1, 0],
        [2, 3],
        [5, 6],
      ],
    ],
    [
      { maxLen: 4, padding: "post", value: 9 },
      [
        [1, 9, 9, 9],
        [2, 3, 9, 9],
        [4, 5, 6, 9],
      ],
    ],
  ] as const)("%j", (options, expected) => {
    expect(rows(padSequences(sequences, options))).toEqual(expected);
  });

  test("empty sequences and none at all", () => {
    expect(rows(padSequences([[], [1]]))).toEqual([[0], [1]]);
    expect(padSequences([]).shape).toEqual([0, 0]);
    expect(padSequences([[], []]).shape).toEqual([2, 0]);
  });

  test("what cannot be is named", () => {
    expect(() => padSequences(sequences, { maxLen: 0 })).toThrow(
      "padSequences: maxLen is 0, expected a whole number of at least 1.",
    );
    expect(() => padSequences(sequences, { padding: "left" as "pre" })).toThrow(
      'padding is "left", expected one of pre, post.',
    );
  });
});
