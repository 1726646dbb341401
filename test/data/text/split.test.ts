import { describe, expect, test } from "vitest";
import { KERAS_FILTERS, splitText } from "../../../src/data/index.ts";

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
