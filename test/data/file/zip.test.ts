import { Zip, ZipDeflate, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { decodeNpz, encodeNpy, encodeNpz, type NpyArray, parseCsv, parseLabels } from "../../../src/data/index.ts";

describe("archives of others", () => {
  const a = encodeNpy({ shape: [2], data: Float32Array.of(1, 2) });
  test.each<[string, Record<string, Uint8Array>]>([
    ["a Mac's", { "__MACOSX/._a.npy": Uint8Array.of(0, 5, 22, 7), "__MACOSX/": new Uint8Array(0) }],
    ["zip -r's", { "data/": new Uint8Array(0), "._a.npy": Uint8Array.of(0, 5), "data/._a.npy": Uint8Array.of(1) }],
    ["with notes", { "README.md": Uint8Array.of(65), ".DS_Store": Uint8Array.of(0), "a.txt": Uint8Array.of(1) }],
  ])("%s", async (_, more) => {
    for (const files of [
      { "a.npy": a, ...more },
      { ...more, "a.npy": a },
    ]) {
      const arrays = await decodeNpz(zipSync(files), "x.npz");
      expect([...arrays.keys()]).toEqual(["a"]);
      expect([...(arrays.get("a")!.data as Float32Array)]).toEqual([1, 2]);
    }
  });

  test("sizes after the data, as writers of streams put them", async () => {
    const chunks: Uint8Array[] = [];
    const archive = new Zip((error, chunk) => {
      if (error) throw error;
      chunks.push(chunk);
    });
    const file = new ZipDeflate("a.npy");
    archive.add(file);
    file.push(a, true);
    archive.end();
    expect([...(await decodeNpz(Buffer.concat(chunks))).keys()]).toEqual(["a"]);
  });

  test("names of what every object has are names", async () => {
    const names = ["__proto__", "constructor", "toString"];
    const array: NpyArray = { shape: [2], data: Float32Array.of(1, 2) };
    const arrays = Object.fromEntries(names.map((name) => [name, array]));
    expect([...(await decodeNpz(await encodeNpz(arrays))).keys()]).toEqual(names);
    await expect(encodeNpz(arrays, { compressed: true } as object)).rejects.toThrow("Did you mean compress?");
    await expect(decodeNpz(new Uint8Array(9), "x", { maxbytes: 1 } as object)).rejects.toThrow(
      "Did you mean maxBytes?",
    );
    expect(parseCsv("__proto__,constructor\n1,2\n").map((row) => Object.entries(row))).toEqual([
      [
        ["__proto__", "1"],
        ["constructor", "2"],
      ],
    ]);
    expect(() => parseLabels("toString,label\na,b\n", "x", { file: "constructor" })).toThrow('no column "constructor"');
    expect(() => parseLabels("a,b\n1,2\n", "x", { column: "a" } as object)).toThrow('there is no option "column"');
  });
});
