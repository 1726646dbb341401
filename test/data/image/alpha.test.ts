import { describe, expect, test } from "vitest";
import {
  affine,
  createImage,
  flatten,
  gaussianFilter,
  grayscale,
  type Image,
  imagePipeline,
  medianFilter,
  Random,
  randomFlip,
  randomNoise,
  randomRotation,
  randomShift,
  rescale,
  resize,
  rgb,
  rotate,
  shift,
} from "../../../src/data/index.ts";
import { picture } from "../pictures.ts";

describe("alpha", () => {
  const pixel = (...numbers: number[]) => createImage(1, 1, numbers.length, Float32Array.from(numbers));

  test("a picture with alpha is put on a ground: white, or what is asked for", () => {
    expect([...flatten(pixel(10, 20, 30, 51)).data]).toEqual([206, 208, 210].map((x) => expect.closeTo(x, 3)));
    expect([...flatten(pixel(10, 20, 30, 51), { ground: 0 }).data]).toEqual([2, 4, 6].map((x) => expect.closeTo(x, 4)));
    expect([...flatten(pixel(9, 0, 9, 0), { ground: [1, 2, 3] }).data]).toEqual([1, 2, 3]);
    expect([...flatten(pixel(0.5, 0.5), { white: 1, ground: 0 }).data]).toEqual([0.25]);
    expect(flatten(pixel(1, 2, 3))).toEqual(pixel(1, 2, 3));
    expect(grayscale(pixel(0, 0, 0, 0)).data[0]).toBe(255);
    expect(grayscale(pixel(10, 20, 30, 255)).data[0]).toBeCloseTo(18.15, 4);
    expect([...rgb(pixel(100, 255)).data]).toEqual([100, 100, 100]);
    expect(() => grayscale(rescale(pixel(10, 255)))).toThrow("Images of 0 … 1 need { white: 1 }");
    expect(() => flatten(pixel(1, 255), { white: 1 })).toThrow("the largest alpha is 255");
    expect(() => flatten(pixel(1, 255), { background: 0 } as object)).toThrow('there is no option "background"');
    expect(() => flatten(pixel(1, 1, 1, 255), { ground: [0] })).toThrow("expected one for each color");
  });

  /** Left half seen and of one color; right half unseen, of a color that must never show. */
  const half = (channels: 2 | 4) => {
    const x = createImage(8, 6, channels);
    for (let i = 0; i < 48; i++) {
      const seen = i % 8 < 4;
      for (let c = 0; c < channels - 1; c++) x.data[i * channels + c] = seen ? 100 + c : 255;
      x.data[i * channels + channels - 1] = seen ? 255 : 0;
    }
    return x;
  };
  const blends: Record<string, (x: Image) => Image> = {
    "resize, smaller": (x) => resize(x, 3, 2),
    "resize, larger": (x) => resize(x, 19, 11),
    "resize, box": (x) => resize(x, 3, 4, { filter: "box" }),
    shift: (x) => shift(x, 0.3, -1.6),
    rotate: (x) => rotate(x, 31),
    affine: (x) => affine(x, [0.7, 0.1, 0, -0.2, 1.1, 0]),
    "gaussian filter": (x) => gaussianFilter(x, 1.2),
    "median filter": (x) => medianFilter(x, 3),
    augmentation: (x) => imagePipeline(3, [randomShift(1), randomRotation(40), randomFlip()])(x),
  };
  describe.each([2, 4] as const)("%i channels", (channels) => {
    test.each(Object.entries(blends))("%s shows no color that is not seen", (_, blend) => {
      const { data } = blend(half(channels));
      let seen = 0;
      for (let at = 0; at < data.length; at += channels) {
        if (data[at + channels - 1]! < 1e-3) continue;
        seen++;
        for (let c = 0; c < channels - 1; c++) expect(data[at + c]).toBeCloseTo(100 + c, 2);
      }
      expect(seen).toBeGreaterThan(0);
    });

    test.each(Object.entries(blends))("%s: under an even alpha colors are as without", (_, blend) => {
      const x = picture(8, 6, channels);
      for (let at = channels - 1; at < x.data.length; at += channels) x.data[at] = 255;
      const planes = channels - 1;
      const plain = createImage(8, 6, planes);
      for (let i = 0; i < plain.data.length; i++) {
        plain.data[i] = x.data[Math.floor(i / planes) * channels + (i % planes)]!;
      }
      const [with_, without] = [blend(x), blend(plain)];
      for (let i = 0; i < without.data.length; i++) {
        const at = Math.floor(i / planes) * channels;
        if (with_.data[at + planes]! > 254.9) expect(with_.data[at + (i % planes)]).toBeCloseTo(without.data[i]!, 2);
      }
    });
  });

  test("noise leaves it alone, and one below 0 is refused", () => {
    const { data } = randomNoise(9, 0, 255)(half(4), new Random("noise"));
    expect(new Set(data.filter((_, i) => i % 4 === 3))).toEqual(new Set([0, 255]));
    expect(() => resize(createImage(2, 1, 2, Float32Array.of(1, 1, 1, -0.5)), 1, 1)).toThrow(
      "resize: the alpha of pixel (1, 0) is -0.5, expected at least 0.",
    );
  });
});
