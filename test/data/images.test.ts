import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  affine,
  channelStatistics,
  channelsFirst,
  createImage,
  crop,
  cropCenter,
  DataError,
  flatten,
  flip,
  fromChannelsFirst,
  gaussianFilter,
  grayscale,
  type Image,
  imageHeader,
  imagePipeline,
  medianFilter,
  normalizeChannels,
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
  stackImages,
} from "../../src/data/index.ts";
import { decodeImage } from "../../src/node/decode-image.ts";
import { soon } from "../soon.ts";
import { withPngChecksums } from "./mutate.ts";

/** By fixtures/make_images.py: Pillow and SciPy. */
const expected: {
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
const file = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));

/** The picture that make_images.py makes. */
function picture(width: number, height: number, channels: number): Image {
  const n = width * height * channels;
  const data = Float32Array.from({ length: n }, (_, i) => {
    return Math.floor(((i * i * 7 + i * 13) % 251) / 2) + Math.floor((i * 125) / n);
  });
  return createImage(width, height, channels, data);
}

const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));
};

describe("resize is Pillow's", () => {
  test.each(expected.resized)("$filter, $from to $to", ({ from, to, filter, bytes, floats }) => {
    const { width, height, data } = resize(picture(...from), ...to, { filter });
    expect([width, height]).toEqual(to);
    expect(apart(data, floats)).toBeLessThan(1e-3); // Pillow without rounding, of 255
    // Pillow rounds after each of its two passes; colors with alpha also before and after them.
    expect(apart(data, bytes)).toBeLessThanOrEqual(from[2] === 4 ? 10 : 1);
  });

  test("without antialiasing bilinear looks at the four nearest pixels", () => {
    const x = picture(8, 8, 1);
    const small = resize(x, 2, 2, { antialias: false });
    expect(small.data[0]).toBe((x.data[9]! + x.data[10]! + x.data[17]! + x.data[18]!) / 4);
  });

  test("an even image stays even, and the same size changes nothing", () => {
    const sizes = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(sizes, sizes, sizes, sizes, fc.boolean(), fc.boolean(), (w, h, tw, th, box, antialias) => {
        const filter = box ? "box" : "bilinear";
        const even = resize(createImage(w, h, 2, new Float32Array(w * h * 2).fill(0.7)), tw, th, { filter, antialias });
        expect(apart(even.data, new Float32Array(tw * th * 2).fill(0.7))).toBeLessThan(1e-6);
        expect(resize(picture(w, h, 3), w, h, { filter, antialias }).data).toEqual(picture(w, h, 3).data);
      }),
    );
  });

  test("what cannot be is named", () => {
    expect(() => resize(picture(2, 2, 1), 0, 2)).toThrow("resize: width is 0, expected a whole number of at least 1.");
    expect(() => resize(picture(2, 2, 1), 2, 2, { filter: "cubic" as "box" })).toThrow('filter is "cubic"');
    expect(() => resize(picture(2, 2, 1), 2, 2, { filter: "toString" as "box" })).toThrow(
      "expected one of bilinear, box",
    );
    expect(() => resize(picture(2, 2, 1), 2, 2, { antiAlias: true } as object)).toThrow("Did you mean antialias?");
  });
});

test("grayscale is Pillow's luma, and gray stays", () => {
  expect(apart(grayscale(picture(9, 6, 3)).data, expected.gray)).toBeLessThanOrEqual(0.5 + 1e-3);
  expect(rgb(createImage(1, 1, 1, Float32Array.of(7))).data).toEqual(Float32Array.of(7, 7, 7));
});

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

test("crop takes the pixels it says, and only whole ones inside", () => {
  const x = picture(6, 5, 2);
  const part = crop(x, { x: 2, y: 1, width: 3, height: 4 });
  expect([part.data[0], part.data[1]]).toEqual([x.data[(6 + 2) * 2], x.data[(6 + 2) * 2 + 1]]);
  expect(part.data.at(-1)).toBe(x.data[(4 * 6 + 4) * 2 + 1]);
  expect(cropCenter(x, 3, 5).data).toEqual(crop(x, { x: 1, y: 0, width: 3, height: 5 }).data);
  expect(() => crop(x, { x: 4, y: 0, width: 3, height: 1 })).toThrow(
    "crop: 3 × 1 pixels from (4, 0) on do not lie inside an image of 6 × 5 × 2",
  );
  expect(() => cropCenter(x, 7, 5)).toThrow(DataError);
});

describe("denoising is SciPy's", () => {
  test.each(expected.median)("median of $size × $size", ({ size, bytes }) => {
    expect([...medianFilter(picture(11, 8, 1), size).data]).toEqual(bytes);
  });

  test.each(expected.gaussian)("Gaussian of $deviation pixels", ({ deviation, floats }) => {
    expect(apart(gaussianFilter(picture(11, 8, 1), deviation).data, floats)).toBeLessThan(1e-3);
  });

  test("each channel by itself", () => {
    const planes = [picture(7, 6, 1), picture(7, 6, 1), rotate(picture(7, 6, 1), 90)] as const;
    const a = planes[0];
    planes[1].data.reverse();
    const all = createImage(7, 6, 3);
    for (let i = 0; i < 42; i++)
      all.data.set(
        planes.map((plane) => plane.data[i]!),
        3 * i,
      );
    for (const filter of [(x: Image) => medianFilter(x, 3), (x: Image) => gaussianFilter(x, 1)]) {
      expect([...channelsFirst(filter(all))]).toEqual(planes.flatMap((plane) => [...filter(plane).data]));
    }
    expect(() => medianFilter(a, 2)).toThrow("must be an odd whole number up to 16384, is 2");
    expect(() => gaussianFilter(a, 0)).toThrow("gaussianFilter: deviation is 0, expected a finite number above 0.");
  });
});

describe("moving", () => {
  test.each(expected.rotated)("by $degrees degrees is Pillow's rotation", ({ degrees, floats }) => {
    expect(apart(rotate(picture(11, 8, 1), degrees, 9).data, floats)).toBeLessThan(1e-3);
  });

  test("a shift of whole pixels moves them and nothing else; half a pixel is the mean of two", () => {
    const x = createImage(4, 1, 1, Float32Array.of(1, 2, 3, 4));
    expect(shift(x, 1, 0, 9).data).toEqual(Float32Array.of(9, 1, 2, 3));
    expect(shift(x, -2, 0).data).toEqual(Float32Array.of(3, 4, 0, 0));
    expect(shift(x, 0, 1, 9).data).toEqual(Float32Array.of(9, 9, 9, 9));
    expect(shift(x, -0.5, 0).data).toEqual(Float32Array.of(1.5, 2.5, 3.5, 0));
  });

  test("a flip twice is no flip", () => {
    const x = picture(5, 4, 3);
    for (const direction of ["horizontal", "vertical"] as const) {
      expect(flip(flip(x, direction), direction)).toEqual(x);
      expect(flip(x, direction)).not.toEqual(x);
    }
    expect(flip(createImage(2, 1, 2, Float32Array.of(1, 2, 3, 4)), "horizontal").data).toEqual(
      Float32Array.of(3, 4, 1, 2),
    );
  });
});

describe("scaling", () => {
  test("by 1/255, and to mean 0 and deviation 1 a channel", () => {
    const images = [picture(6, 5, 3), picture(4, 9, 3)].map((x) => rescale(x));
    expect(images[0]!.data[7]).toBeCloseTo(picture(6, 5, 3).data[7]! / 255, 7);
    const statistics = channelStatistics(images);
    const again = channelStatistics(images.map((x) => normalizeChannels(x, statistics)));
    for (let c = 0; c < 3; c++) {
      expect(again.mean[c]).toBeCloseTo(0, 6);
      expect(again.deviation[c]).toBeCloseTo(1, 6);
    }
    expect(() => normalizeChannels(images[0]!, { mean: [0], deviation: [1] })).toThrow(
      "one for each channel of 6 × 5 × 3",
    );
    expect(() => normalizeChannels(images[0]!, { mean: [0, 0, 0], deviation: [1, 0, 1] })).toThrow(
      "deviation of channel 1 is 0",
    );
    expect(() => channelStatistics([])).toThrow("there are no images");
  });

  test("channels first and back, and a batch", () => {
    const x = picture(3, 2, 2);
    expect([...channelsFirst(x)]).toEqual([0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11].map((i) => x.data[i]));
    expect(fromChannelsFirst(channelsFirst(x), [2, 2, 3])).toEqual(x);
    const { data, shape } = stackImages([x, x]);
    expect([shape, data.length]).toEqual([[2, 2, 2, 3], 24]);
    expect(() => stackImages([x, picture(3, 3, 2)])).toThrow("image 1 is 3 × 3 × 2, image 0 is 3 × 2 × 2");
  });
});

describe("pipelines", () => {
  const steps = [randomShift(2), randomRotation(15), randomFlip(), randomNoise(0.1)];
  const x = rescale(picture(12, 12, 1));

  test("the same seed and key give the same image, whatever was made before; others differ", () => {
    const make = imagePipeline(7, steps);
    const first = make(x, 0, "a");
    make(x, 0, "b");
    expect(make(x, 0, "a")).toEqual(first);
    expect(imagePipeline(7, steps)(x, 0, "a")).toEqual(first);
    for (const other of [make(x, 1, "a"), make(x, 0, "b"), imagePipeline(8, steps)(x, 0, "a")]) {
      expect(other.data).not.toEqual(first.data);
    }
    expect(x.data).toEqual(rescale(picture(12, 12, 1)).data);
  });

  test("a step put in at the end changes nothing before it", () => {
    let seen: Image | undefined;
    imagePipeline(7, [...steps, (y) => (seen = y), randomNoise(1)])(x, 3);
    expect(seen).toEqual(imagePipeline(7, steps)(x, 3));
  });

  test("shifts and flips happen as often as they should, and settings that cannot be are named", () => {
    const dot = createImage(9, 9, 1);
    dot.data[4 * 9 + 4] = 1;
    const places = new Set<number>();
    let flips = 0;
    for (let i = 0; i < 400; i++) {
      places.add(randomShift(1)(dot, new Random("shift", i)).data.indexOf(1));
      if (randomFlip("horizontal", 0.3)(x, new Random("flip", i)) !== x) flips++;
    }
    expect(places.size).toBe(9);
    expect(Math.abs(flips / 400 - 0.3)).toBeLessThan(0.08);
    expect(() => randomFlip("vertical", 2)).toThrow("odds is 2, expected a number from 0 to 1.");
    expect(() => randomShift(-1)).toThrow("randomShift: pixels is -1, expected a whole number of at least 0.");
  });
});

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
