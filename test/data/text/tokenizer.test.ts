import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError, PADDING, Tokenizer, UNKNOWN } from "../../../src/data/index.ts";

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

describe("Tokenizer", () => {
  const tokenizer = new Tokenizer(["one", "more", "than"]);

  test("ids from 2 on, unknown words 1, padding 0 at the end", () => {
    expect(tokenizer.size).toBe(5);
    expect([...tokenizer.encode("One more  than\tzero", 6)]).toEqual([2, 3, 4, UNKNOWN, PADDING, PADDING]);
    expect([...tokenizer.encode("", 2)]).toEqual([PADDING, PADDING]);
    expect([...tokenizer.encode("more more more", 2)]).toEqual([3, 3]);
    expect(tokenizer.decode(tokenizer.encode("more than zero", 8))).toBe("more than <unknown>");
  });

  test("goes through JSON", () => {
    const copy = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)));
    expect(copy.vocabulary).toEqual(tokenizer.vocabulary);
    expect(() => Tokenizer.fromJSON({ words: 3 })).toThrow(DataError);
    expect(() => Tokenizer.fromJSON(null)).toThrow("expected { words: string[] }");
  });

  test("a vocabulary that cannot be reached by splitting texts is refused", () => {
    expect(() => new Tokenizer(["a", "a"])).toThrow('"a" occurs twice');
    for (const word of ["", "two words", "Capital"]) expect(() => new Tokenizer([word])).toThrow(`"${word}"`);
  });

  test("of its own texts no word is unknown", () => {
    const words = fc.array(fc.constantFrom("a", "b", "c", "dd"), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(words, { minLength: 1 }), (lists) => {
        const texts = lists.map((list) => list.join(" "));
        const own = Tokenizer.of(texts);
        for (const text of texts) expect(own.decode(own.encode(text, 6))).toBe(text);
      }),
    );
  });
});
