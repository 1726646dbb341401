import { describe, expect, test } from "vitest";
import { DataError, imageHeader } from "../../../src/data/index.ts";
import { decodeImage } from "../../../src/node/decode-image.ts";
import { soon } from "../../soon.ts";
import { apart } from "../apart.ts";
import { withPngChecksums } from "../mutate.ts";
import { expected, file } from "../pictures.ts";

describe("decoding", () => {
  test.each(Object.entries(expected.files))("%s is what Pillow reads", async (name, { bytes, ...sizes }) => {
    const { data, ...found } = await decodeImage(file(name), name);
    expect(found).toEqual(sizes);
    // The same integers as libjpeg-turbo's, which Pillow reads JPEG by.
    expect(apart(data, bytes)).toBe(0);
    expect(imageHeader(file(name), name)).toMatchObject(sizes);
  });

  const changed = (name: string, change: (bytes: Uint8Array, view: DataView) => void) => {
    const bytes = file(name);
    change(bytes, new DataView(bytes.buffer));
    return bytes;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ["no picture", new Uint8Array(20), /^x: neither PNG nor JPEG: it begins with 00 00/],
    ["nothing", new Uint8Array(0), /^x: neither PNG nor JPEG/],
    [
      "a PNG with a wrong checksum",
      changed("rgb.png", (b) => b.fill(1, 50, 51)),
      /^x: damaged PNG: chunk IDAT at byte 33 has the CRC/,
    ],
    ["a cut-off PNG", file("rgb.png").subarray(0, 200), /^x: damaged PNG: chunk IDAT .* it is cut off/],
    ["a PNG without its end", file("rgb.png").subarray(0, file("rgb.png").length - 12), /without the chunk IEND/],
    [
      "a small PNG that claims to be large",
      withPngChecksums(changed("rgb.png", (_, view) => view.setUint32(16, 30_000))),
      /30000 × 9 pixels are 810000 bytes, which \d+ bytes of compressed data cannot hold/,
    ],
    [
      "a PNG larger than allowed",
      withPngChecksums(changed("rgb.png", (_, view) => view.setUint32(16, 2 ** 31))),
      /more than the 67108864 allowed|cannot hold/,
    ],
    [
      "a PNG of another size than its data",
      withPngChecksums(changed("rgb.png", (b) => b.fill(10, 23, 24))),
      /its pixels are 333 bytes, expected 370/,
    ],
    ["a cut-off JPEG", file("rgb.jpg").subarray(0, 300), /^x: damaged JPEG: /],
    [
      "a small JPEG that claims to be large",
      changed("rgb.jpg", (b) => {
        const at = b.findIndex((byte, i) => byte === 0xff && b[i + 1] === 0xc0);
        b.set([0xff, 0xff, 0xff, 0xff], at + 5);
      }),
      /65535 × 65535 pixels, which its \d+ bytes cannot hold/,
    ],
  ])("refuses %s", async (_, bytes, message) => {
    const expectSoon = soon(2000);
    const failure = await decodeImage(bytes, "x").then(
      () => undefined,
      (error) => error,
    );
    expect(failure).toBeInstanceOf(DataError);
    expect(failure.message).toMatch(message);
    expectSoon();
  });

  test("allows as many pixels as it is told", async () => {
    await expect(decodeImage(file("rgb.png"), "x", { maxPixels: 100 })).rejects.toThrow(
      "x: claims 12 × 9 pixels, more than the 100 allowed (maxPixels).",
    );
  });
});
