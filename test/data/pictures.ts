import { readFileSync } from "node:fs";
import { createImage, type Image } from "../../src/data/index.ts";

/** By fixtures/make_images.py: Pillow and SciPy. */
export const expected: {
  resized: {
    from: [number, number, number];
    to: [number, number];
    filter: "bilinear" | "box";
    bytes: number[];
    floats: number[];
  }[];
  gray: number[];
  rotated: { degrees: number; floats: number[] }[];
  median: { size: number; bytes: number[] }[];
  gaussian: { deviation: number; floats: number[] }[];
  files: Record<string, { width: number; height: number; channels: number; bytes: number[] }>;
} = JSON.parse(readFileSync(new URL("./fixtures/images.json", import.meta.url), "utf8"));
export const file = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));

/** The picture that make_images.py makes. */
export function picture(width: number, height: number, channels: number): Image {
  const n = width * height * channels;
  const data = Float32Array.from({ length: n }, (_, i) => {
    return Math.floor(((i * i * 7 + i * 13) % 251) / 2) + Math.floor((i * 125) / n);
  });
  return createImage(width, height, channels, data);
}
