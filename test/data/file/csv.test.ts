import { describe, expect, test } from "vitest";
import { DataError, parseCsv, parseLabels } from "../../../src/data/index.ts";

describe("CSV", () => {
  test("quotes, commas and line ends in fields, CR LF, a byte order mark, empty lines", () => {
    const text = '\uFEFFfile,label\r\n"a, b.png",cat\r\n\r\n"say ""hi""\nthere",\n';
    expect(parseCsv(text)).toEqual([
      { file: "a, b.png", label: "cat" },
      { file: 'say "hi"\nthere', label: "" },
    ]);
    expect(parseCsv("a;b\n1;2", "x", ";")).toEqual([{ a: "1", b: "2" }]);
  });

  test.each([
    ["", /^x: is empty/],
    ["a,a\n", /^x: the column "a" occurs twice/],
    ["a,b\n1,2\n\n3\n", /^x, line 4: found 1 fields, expected 2 \(a,b\)/],
    ['a,b\n1,"2\n', /^x, line 2: a quote is opened and never closed/],
    ['a,b\n"1"2,3\n', /^x, line 2: expected a comma or the line's end after a quoted field/],
  ])("%j is refused", (text, message) => {
    expect(() => parseCsv(text, "x")).toThrow(DataError);
    expect(() => parseCsv(text, "x")).toThrow(message);
  });

  test("labels become places in the classes: by alphabet, numbers by size, or as given", () => {
    const labels = parseLabels("file,label\na,dog\nb,cat\nc,dog\n");
    expect(labels).toEqual({ files: ["a", "b", "c"], labels: Int32Array.of(1, 0, 1), classes: ["cat", "dog"] });
    expect(parseLabels("file,label\na,10\nb,9\n").classes).toEqual(["9", "10"]);
    expect([...parseLabels("f,y\na,n\n", "x", { file: "f", label: "y" }, ["y", "n"]).labels]).toEqual([1]);
    expect(() => parseLabels("file,label\na,no\n", "x", {}, ["yes"])).toThrow(
      'x, row 1: "no" is none of the classes yes',
    );
    expect(() => parseLabels("file,klass\na,no\n", "x")).toThrow('x: has no column "label", found file, klass');
    // Nobody labeled it: it is of no class called "".
    expect(() => parseLabels("file,label\na,no\nb,\n", "x")).toThrow('x, row 2: its "label" is empty');
    expect(() => parseLabels("file,label\n ,no\n", "x")).toThrow('x, row 1: its "file" is empty');
  });
});
