import { describe, expect, test } from "vitest";
import { DataError, decodeNpz, encodeNpz } from "../../../src/data/index.ts";
import { runChild } from "../../node/child.ts";
import { expected, file, fixtures, plain } from "../numpy.ts";

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
