import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Zip, ZipDeflate, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  DataError,
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  type NpyArray,
  npyFloats,
  npyIntegers,
  parseCsv,
  parseLabels,
  prefetch,
  Random,
  streamBatches,
} from "../../src/data/index.ts";
import { openFolder } from "../../src/node/folder.ts";
import { runChild } from "../node/child.ts";

const fixtures = new URL("./fixtures/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, fixtures)));
/** By fixtures/make_npy.py: what numpy has in each file. */
const expected: Record<string, { shape: number[]; values: (number | string | boolean)[] }> = JSON.parse(
  readFileSync(new URL("npy.json", fixtures), "utf8"),
);
const plain = ({ data }: NpyArray) =>
  Array.from(data as ArrayLike<unknown>, (x) => (typeof x === "string" ? x : Number(x)));

describe(".npy", () => {
  test.each(Object.entries(expected))("%s by numpy is what numpy has", (name, { shape, values }) => {
    const found = decodeNpy(file(`${name}.npy`), name);
    expect(found.shape).toEqual(shape);
    expect(plain(found)).toEqual(values.map((x) => (typeof x === "boolean" ? Number(x) : x)));
  });

  test("what is written is what numpy writes, byte for byte", () => {
    for (const name of ["f4", "i8", "u1", "scalar", "text", "empty"]) {
      const bytes = file(`${name}.npy`);
      // numpy leaves room in the header for its shape to grow, so the number of spaces may differ.
      const text = (b: Uint8Array) => new TextDecoder("latin1").decode(b).replace(/ +\n/, "\n").slice(10);
      expect(text(encodeNpy(decodeNpy(bytes))), name).toBe(text(bytes));
    }
  });

  test("what is written is read again", () => {
    const types = [Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array, Uint16Array, Uint32Array];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }), fc.nat(types.length - 1), (shape, t) => {
        const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
        const array = { shape, data: types[t]!.from(data) };
        expect(decodeNpy(encodeNpy(array))).toEqual(array);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (texts) => {
        const data = texts.map((text) => text.replace(/\0/g, ""));
        expect(decodeNpy(encodeNpy({ shape: [data.length], data })).data).toEqual(data);
      }),
    );
    const big = { shape: [2], data: BigInt64Array.of(-(2n ** 63n), 5n) };
    expect(decodeNpy(encodeNpy(big))).toEqual(big);
    expect(() => encodeNpy({ shape: [3], data: new Float32Array(2) })).toThrow(
      "the shape [3] holds 3 numbers, found 2",
    );
  });

  test("as float32 and int32", () => {
    expect(npyFloats(decodeNpy(file("i8.npy"))).slice(0, 3)).toEqual(Float32Array.of(-3, -2, -1));
    expect(npyIntegers(decodeNpy(file("i8.npy"))).slice(0, 3)).toEqual(Int32Array.of(-3, -2, -1));
    expect(() => npyIntegers(decodeNpy(file("f4.npy")), "x")).toThrow("x: number 0 is -0.75, expected a whole number");
    expect(() => npyFloats(decodeNpy(file("text.npy")), "x")).toThrow("x: holds strings");
  });

  const withHeader = (text: string, bytes = 0) => {
    const npy = new Uint8Array(10 + text.length + bytes);
    npy.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
    npy.set(new TextEncoder().encode(text), 10);
    return npy;
  };
  const shaped = (shape: string, type = "<f4") =>
    withHeader(`{'descr': '${type}', 'fortran_order': False, 'shape': ${shape}, }`);
  test.each<[string, Uint8Array, RegExp]>([
    ["no npy", new Uint8Array(9), /^x: not an \.npy file: 9 bytes/],
    [
      "a huge shape",
      shaped("(1000000, 1000000)"),
      /\[1000000, 1000000\] of 4 bytes each is 4000000000000 bytes, the file has 0/,
    ],
    ["a shape beyond counting", shaped("(4294967296, 4294967296, 4294967296)"), /its shape is \(4294967296, /],
    ["a shape of many sizes", shaped(`(${"1, ".repeat(1000)})`), /its shape is \(1, 1, 1, 1, 1, 1, 1, 1, …\)/],
    ["endless strings of no letters", shaped("(4000000000,)", "<U0"), /4000000000 strings of no letters/],
    ["objects, which would be pickled", file("object.npy"), /type '\|O'/],
    ["records", file("record.npy"), /of a kind that is not read/],
    ["code", shaped("(__import__('os').system('x'),)"), /its header is/],
    ["a cut-off header", file("f4.npy").subarray(0, 60), /its header claims 118 bytes, the file has 60/],
    ["cut-off numbers", file("f4.npy").subarray(0, 170), /\[3, 4\] of 4 bytes each is 48 bytes, the file has 42/],
    ["another version", Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 9, 0, 0, 0), /version 9, expected 1, 2 or 3/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decodeNpy(bytes, "x")).toThrow(DataError);
    expect(() => decodeNpy(bytes, "x")).toThrow(message);
  });
});

describe(".npz", () => {
  test("by numpy, stored and packed", async () => {
    const stored = await decodeNpz(file("stored.npz"), "stored.npz");
    expect([...stored.keys()]).toEqual(["images", "labels"]);
    expect(plain(stored.get("images")!)).toEqual(expected.f4!.values);
    const packed = await decodeNpz(file("packed.npz"), "packed.npz");
    expect(packed.get("images")).toEqual({ shape: [8, 8], data: new Float32Array(64) });
    expect(packed.get("texts")!.data).toEqual(expected.text!.values);
  });

  test.each([false, true])(
    "what is written is read again, and the same bytes each time (compress: %s)",
    async (compress) => {
      const arrays = {
        images: { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
        texts: { shape: [1], data: ["é"] },
      };
      const bytes = await encodeNpz(arrays, { compress });
      expect(Object.fromEntries(await decodeNpz(bytes))).toEqual(arrays);
      expect(await encodeNpz(arrays, { compress })).toEqual(bytes);
    },
  );

  const changed = (name: string, change: (bytes: Uint8Array, view: DataView, directory: number) => void) => {
    const bytes = file(name);
    const view = new DataView(bytes.buffer);
    change(bytes, view, view.getUint32(bytes.length - 6, true));
    return bytes;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ["a cut-off one", file("stored.npz").subarray(0, 500), /^x: damaged zip: its 500 bytes have no directory/],
    [
      "a changed number",
      changed("stored.npz", (b) => b.fill(7, 200, 201)),
      /^x: damaged zip: "images.npy" has the CRC/,
    ],
    ["damaged packing", changed("packed.npz", (b) => b.fill(0xff, 62, 70)), /^x: damaged zip: "images.npy"/],
    [
      "a bomb",
      changed("packed.npz", (_, v, at) => v.setUint32(at + 24, 2 ** 30, true)),
      /claims 1073741824 bytes, which \d+ packed ones cannot hold/,
    ],
    ["encryption", changed("stored.npz", (b, _, at) => b.fill(1, at + 8, at + 9)), /encrypted/],
    [
      "an entry that lies elsewhere",
      changed("stored.npz", (_, v, at) => v.setUint32(at + 42, 9, true)),
      /not at byte 9/,
    ],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(decodeNpz(bytes, "x")).rejects.toThrow(DataError);
    await expect(decodeNpz(bytes, "x")).rejects.toThrow(message);
  });

  test("gives no more than allowed", async () => {
    await expect(decodeNpz(file("packed.npz"), "x", { maxBytes: 100 })).rejects.toThrow(
      "more than the 100 allowed (maxBytes)",
    );
  });
});

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

test("an .npy of 200,000 strings", () => {
  const words = Array.from({ length: 200_000 }, (_, i) => `w${i}`);
  const { shape, data } = decodeNpy(encodeNpy({ shape: [words.length], data: words }));
  expect([shape, (data as string[]).join()]).toEqual([[200_000], words.join()]);
  expect(() => encodeNpy({ shape: [1], data: ["a\0"] })).toThrow("string 0 ends with a zero");
  expect(() => encodeNpy({ shape: [-1, -2], data: Float32Array.of(1, 2) })).toThrow("the shape is [-1, -2]");
});

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

describe("streams", () => {
  const later = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

  test("prefetch gives all items in their order and makes no more than `ahead` before they are asked for", async () => {
    let made = 0;
    async function* source() {
      while (made < 10) {
        await later();
        yield made++;
      }
    }
    const seen: number[] = [];
    for await (const item of prefetch(source(), 3)) {
      seen.push(item);
      await later(5);
      expect(made).toBeLessThanOrEqual(seen.length + 3);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("a source's error comes in its place, and stopping early stops the source", async () => {
    let closed = 0;
    function* source() {
      try {
        yield 1;
        yield 2;
        throw new Error("disk");
      } finally {
        closed++;
      }
    }
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const item of prefetch(source(), 5)) seen.push(item);
      })(),
    ).rejects.toThrow("disk");
    expect(seen).toEqual([1, 2]);
    for await (const _ of prefetch(source(), 1)) break;
    expect(closed).toBe(2);
    expect(() => prefetch([1], 0)).toThrow("prefetch: ahead is 0, expected a whole number of at least 1.");
  });

  test("batches do not depend on how long reads take, hold all examples once, and bound what is read at once", async () => {
    let [reading, most] = [0, 0];
    const run = async (slow: boolean) => {
      const options = {
        length: 11,
        size: 4,
        random: new Random("order", 3),
        concurrency: 3,
        read: async (i: number) => {
          most = Math.max(most, ++reading);
          await later(slow ? (i * 7) % 5 : 0);
          reading--;
          return i * 10;
        },
        batch: (examples: number[], indices: readonly number[]) => ({ examples, indices }),
      };
      const all: { examples: number[]; indices: readonly number[] }[] = [];
      for await (const batch of streamBatches(options)) all.push(batch);
      return all;
    };
    const batches = await run(true);
    expect(batches.map(({ examples }) => examples.length)).toEqual([4, 4, 3]);
    expect(batches.flatMap(({ examples }) => examples).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 11 }, (_, i) => i * 10),
    );
    for (const { examples, indices } of batches) expect(examples).toEqual(indices.map((i) => i * 10));
    expect(await run(false)).toEqual(batches);
    expect(most).toBeLessThanOrEqual(3);
  });

  test("a file that cannot be read stops the stream with its error", async () => {
    const read = async (i: number) => {
      if (i === 5) throw new DataError("5.png: damaged");
      return i;
    };
    const seen: number[][] = [];
    await expect(
      (async () => {
        for await (const batch of streamBatches({ length: 9, size: 2, read, batch: (x) => x })) seen.push(batch);
      })(),
    ).rejects.toThrow("5.png: damaged");
    expect(seen).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });
});

describe("a folder with a manifest", () => {
  let root: string;
  const manifest = (text: string) => writeFileSync(join(root, "manifest.csv"), text);
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "handgrad-folder-"));
    mkdirSync(join(root, "pictures"));
    writeFileSync(join(root, "pictures", "a.png"), file("rgb.png"));
    writeFileSync(join(root, "b.jpg"), file("gray.jpg"));
    writeFileSync(join(root, "a.wav"), file("pcm16.wav"));
    writeFileSync(join(root, "bad.png"), file("rgb.png").subarray(0, 100));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test("reads what each line names, in batches", async () => {
    manifest('image,audio,text,label\npictures/a.png,a.wav,"hello, you",cat\nb.jpg,,,dog\n');
    const folder = await openFolder(root);
    expect([folder.length, folder.classes]).toEqual([2, ["cat", "dog"]]);
    const first = await folder.read(0);
    expect([first.image!.width, first.image!.channels, first.sound!.sampleRate, first.text, first.label]).toEqual([
      12,
      3,
      8000,
      "hello, you",
      0,
    ]);
    const labels: number[] = [];
    const { length, read } = folder;
    for await (const batch of streamBatches({ length, size: 1, read, batch: (x) => x })) labels.push(batch[0]!.label);
    expect(labels).toEqual([0, 1]);
    expect((await folder.read(1)).sound).toBeUndefined();
    await expect(folder.read(2)).rejects.toThrow("there is no example 2, it has 2");
  });

  test("names the file and the fault", async () => {
    manifest("image,label\nbad.png,cat\nmissing.png,cat\n");
    const folder = await openFolder(root);
    await expect(folder.read(0)).rejects.toThrow(`${join(root, "bad.png")}: damaged PNG`);
    await expect(folder.read(1)).rejects.toThrow(`${join(root, "missing.png")}: cannot be read`);
    await expect(openFolder(root, { classes: ["dog"] })).rejects.toThrow('row 1: "cat" is none of the classes dog');
    await expect(openFolder(join(root, "nowhere"))).rejects.toThrow(DataError);
    await expect(openFolder(root, { maxBytes: 10 })).rejects.toThrow("more than the 10 allowed (maxBytes)");
    manifest("picture,label\na.png,cat\n");
    await expect(openFolder(root)).rejects.toThrow('expected a column "label" and one or more of "image"');
    manifest("image,audio,label\na.png,,cat\n,,dog\n");
    await expect(openFolder(root)).rejects.toThrow("row 2: has no image, no audio and no text");
    manifest("image,label\na.png,cat\nb.jpg,\n");
    await expect(openFolder(root)).rejects.toThrow('row 2: its "label" is empty');
    await expect(openFolder(root, { maxbytes: 1 } as object)).rejects.toThrow("Did you mean maxBytes?");
  });

  test("leaves the folder by no path and by no link", async () => {
    manifest("image,label\n../secret.png,cat\n");
    await expect(openFolder(root)).rejects.toThrow('row 1: "../secret.png" lies outside of the folder');
    symlinkSync("/etc/hostname", join(root, "link.png"));
    manifest("image,label\nlink.png,cat\n");
    await expect((await openFolder(root)).read(0)).rejects.toThrow("lies outside of the folder");
  });
});

test("pictures need no package; an archive says what to install", async () => {
  const source = (call: string) => `
    import { readFileSync } from "node:fs";
    import { decodeImage } from "./src/node.ts";
    import { decodeNpz } from "./src/data/index.ts";
    const file = (name) => new Uint8Array(readFileSync(${JSON.stringify(fixtures.pathname)} + name));
    await ${call};`;
  const { code, stderr } = await runChild(source('decodeNpz(file("stored.npz"))'), { packages: [] });
  expect([code, stderr]).toEqual([1, expect.stringContaining("Run: npm install fflate")]);
  for (const call of ['decodeImage(file("rgb.png"))', 'decodeImage(file("rgb.jpg"))']) {
    expect(await runChild(source(call), { packages: [] })).toMatchObject({ code: 0 });
  }
});
