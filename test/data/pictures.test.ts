import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { imageHeader } from "../../src/data/index.ts";
import { decodeImage } from "../../src/node/decode-image.ts";

/*
 * One table of pictures, by fixtures/make_pictures.py: what Pillow reads in them, upright, or what was put in where Pillow
 * has another idea (16 bits, hidden colors). test/browser/preprocessing.test.ts holds the browser to the same table.
 */
const pictures: Record<string, { file: string; bytes: string; width: number; height: number; channels: number }> =
  JSON.parse(readFileSync(new URL("./fixtures/pictures.json", import.meta.url), "utf8"));

describe("pictures of all kinds", () => {
  test.each(Object.entries(pictures))("%s", async (name, { file, bytes, ...sizes }) => {
    const data = new Uint8Array(Buffer.from(file, "base64"));
    const { data: found, ...foundSizes } = await decodeImage(data, name);
    expect(foundSizes).toEqual(sizes);
    expect(Buffer.from(Uint8Array.from(found)).equals(Buffer.from(bytes, "base64"))).toBe(true);
    expect(imageHeader(data, name)).toMatchObject(sizes);
  });
});

test("a photo as it is stored, where that is asked for", async () => {
  const { file, width, height } = pictures["orientation 6.jpg"]!;
  const data = new Uint8Array(Buffer.from(file, "base64"));
  const stored = await decodeImage(data, "x.jpg", { orientation: "stored" });
  expect([stored.width, stored.height]).toEqual([height, width]);
  expect(imageHeader(data)).toMatchObject({ width, height, orientation: 6 });
  await expect(decodeImage(data, "x.jpg", { orientation: "up" as "stored" })).rejects.toThrow("one of upright, stored");
  await expect(decodeImage(data, "x.jpg", { maxpixels: 1 } as object)).rejects.toThrow("Did you mean maxPixels?");
});
