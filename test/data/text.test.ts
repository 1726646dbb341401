import { describe, expect, test } from "vitest";
import { DataError, KERAS_FILTERS, padSequences, splitText, Tokenizer } from "../../src/data/index.ts";

/*
 * Keras's Tokenizer and pad_sequences, case by case as its documentation and its source (keras.preprocessing.text,
 * keras.utils.pad_sequences) state them. Expected values are written by hand from those rules.
 */

describe("splitting is text_to_word_sequence", () => {
  const rules = { lower: true, filters: KERAS_FILTERS, separator: " ", level: "word" } as const;
  test.each([
    ["hello! ? world!", ["hello", "world"]],
    ["This is a sample_sentence.", ["this", "is", "a", "sample", "sentence"]],
    ["don't-stop", ["don't", "stop"]], // the apostrophe is no filter
    ["tab\tand\nline", ["tab", "and", "line"]],
    ["a\rb", ["a\rb"]], // \r is none either
    ["  ", []],
    ["", []],
    ["ALL CAPS Ü", ["all", "caps", "ü"]],
  ])("%j", (text, words) => {
    expect(splitText(text, rules)).toEqual(words);
  });

  test("with rules of one's own", () => {
    expect(splitText("Hello, you", { ...rules, lower: false, filters: "" })).toEqual(["Hello,", "you"]);
    expect(splitText("a,b;c", { ...rules, filters: ";", separator: "," })).toEqual(["a", "b", "c"]);
    expect(splitText("A!b 猫", { ...rules, filters: "", level: "character" })).toEqual(["a", "!", "b", " ", "猫"]);
    expect(splitText("𠮷野家🙂", { ...rules, level: "character" })).toEqual(["𠮷", "野", "家", "🙂"]);
  });
});

describe("Tokenizer.fit is Tokenizer.fit_on_texts", () => {
  const texts = ["the cat sat on the mat.", "The dog sat on the log!", "Cats and dogs"];

  test("ids from 1 on, by frequency, then by first appearance", () => {
    const { vocabulary } = Tokenizer.fit(texts);
    expect(vocabulary).toEqual(["<padding>", "the", "sat", "on", "cat", "mat", "dog", "log", "cats", "and", "dogs"]);
    expect(Tokenizer.fit(texts).transform(["the dog sat"])).toEqual([[1, 6, 2]]);
  });

  test("an unknown word is left out without an out-of-vocabulary word, and is id 1 with one", () => {
    expect(Tokenizer.fit(texts).transform(["the bird sat"])).toEqual([[1, 2]]);
    const oov = Tokenizer.fit(texts, { outOfVocabulary: "<OOV>" });
    expect(oov.vocabulary.slice(0, 4)).toEqual(["<padding>", "<OOV>", "the", "sat"]);
    expect(oov.transform(["the bird sat", ""])).toEqual([[2, 1, 3], []]);
  });

  test("numWords: the numWords - 1 first ids are used; the vocabulary still holds all", () => {
    const three = Tokenizer.fit(texts, { numWords: 3 });
    expect(three.transform(["the cat sat on"])).toEqual([[1, 2]]);
    expect([three.vocabulary.length, three.size]).toEqual([11, 3]);
    const oov = Tokenizer.fit(texts, { numWords: 3, outOfVocabulary: "?" });
    expect(oov.transform(["the cat sat on"])).toEqual([[2, 1, 1, 1]]);
    expect(oov.transform(["nothing known"])).toEqual([[1, 1]]);
  });

  test("char_level counts characters, spaces included, and filters none of them", () => {
    const characters = Tokenizer.fit(["ab a!", "A"], { level: "character" });
    expect(characters.vocabulary).toEqual(["<padding>", "a", "b", " ", "!"]);
    expect(characters.transform(["a b!"])).toEqual([[1, 3, 2, 4]]);
  });

  test("Chinese by character; punctuation is left out where it is asked for", () => {
    const chinese = Tokenizer.fit(["我喜欢猫。", "我喜欢狗,也喜欢𠮷。"], {
      level: "character",
      filters: "。,",
      outOfVocabulary: "<未知>",
    });
    expect(chinese.vocabulary.slice(0, 5)).toEqual(["<padding>", "<未知>", "喜", "欢", "我"]);
    expect(chinese.transform(["我喜欢鸟。"])).toEqual([[4, 2, 3, 1]]);
    expect(chinese.decode(chinese.encode("我喜欢𠮷", 8))).toBe("我喜欢𠮷");
  });

  test("sequences_to_texts: ids back to words, numWords and the out-of-vocabulary word heeded", () => {
    expect(Tokenizer.fit(texts).decode([1, 4, 99, 2])).toBe("the cat sat");
    expect(Tokenizer.fit(texts, { numWords: 3 }).decode([1, 4, 2])).toBe("the sat");
    expect(Tokenizer.fit(texts, { numWords: 4, outOfVocabulary: "?" }).decode([2, 9, 3, 1])).toBe("the ? sat ?");
  });

  test.each([
    {},
    { numWords: 4 },
    { outOfVocabulary: "<OOV>" },
    { level: "character", filters: "." },
    { lower: false, filters: "", separator: "," },
  ] as const)("goes through JSON: %j", (options) => {
    const one = Tokenizer.fit(texts, options);
    const other = Tokenizer.fromJSON(JSON.parse(JSON.stringify(one)));
    expect([other.vocabulary, other.options, other.size]).toEqual([one.vocabulary, one.options, one.size]);
    const unseen = ["The dog, and a bird.", "x"];
    expect(other.transform(unseen)).toEqual(one.transform(unseen));
  });

  test("what is no tokenizer is refused", () => {
    expect(JSON.parse(JSON.stringify(new Tokenizer(["a"])))).toEqual({ words: ["a"] });
    for (const wrong of [
      undefined,
      {},
      { words: [1] },
      { words: ["a"], numWords: 0 },
      { words: ["a"], level: "line" },
    ]) {
      expect(() => Tokenizer.fromJSON(wrong)).toThrow(DataError);
    }
    expect(() => Tokenizer.fromJSON({ words: ["a"], typo: 1 })).toThrow(DataError);
    expect(() => Tokenizer.fit(["a"], { num_words: 9 } as object)).toThrow("Did you mean numWords?");
    expect(() => new Tokenizer(["a"], { oov: "?" } as object)).toThrow('Tokenizer: there is no option "oov"');
    expect(() => Tokenizer.fit(["a"], { numWords: -1 })).toThrow("numWords must be a whole number above 0 or null");
  });
});

test("words that every object knows are words", () => {
  const words = ["constructor", "__proto__", "tostring", "hasownproperty", "valueof"];
  const tokenizer = Tokenizer.fit([words.join(" "), words.join(" ")], { filters: "" });
  expect(tokenizer.vocabulary).toEqual(["<padding>", ...words]);
  expect(tokenizer.transform(["__proto__ constructor isprototypeof"])).toEqual([[2, 1]]);
  expect(Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer))).vocabulary).toEqual(tokenizer.vocabulary);
  expect(new Tokenizer([]).id("constructor")).toBe(1);
});

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
