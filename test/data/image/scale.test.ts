import { describe, expect, test } from "vitest";
import {
  channelStatistics,
  channelsFirst,
  fromChannelsFirst,
  imageFromBytes,
  normalizeChannels,
  normalizeImage,
  rescale,
  stackImages,
} from "../../../src/data/index.ts";
import { picture } from "../pictures.ts";

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

test("images: bytes over 255, and mean and deviation taken off", () => {
  const image = imageFromBytes(Uint8Array.of(0, 51, 255));
  expect(image).toEqual(Float32Array.of(0, 0.2, 1));
  expect([...normalizeImage(image, 0.5, 0.5)].map((x) => Number(x.toFixed(5)))).toEqual([-1, -0.6, 1]);
  expect(() => normalizeImage(image, 0, 0)).toThrow(
    "normalizeImage: deviation is 0, expected a finite number above 0.",
  );
});
