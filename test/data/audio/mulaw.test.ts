import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMuLaw, encodeMuLaw } from "../../../src/data/index.ts";

describe("µ-law", () => {
  test("known values of G.711", () => {
    const known = { 255: 0, 254: 8, 239: 132, 224: 372, 207: 924, 128: 32124, 0: -32124, 111: -132 };
    for (const [code, sample] of Object.entries(known)) {
      expect(decodeMuLaw(Uint8Array.of(Number(code)))[0]! * 32768).toBe(sample);
    }
  });

  test("a sample comes back to within half a step, which is about 1/32 of it", () => {
    fc.assert(
      fc.property(fc.double({ min: -0.98, max: 0.98, noNaN: true }), (x) => {
        const back = decodeMuLaw(encodeMuLaw([x]))[0]!;
        expect(Math.abs(back - x)).toBeLessThanOrEqual((Math.abs(x) + 132 / 32768) / 32);
      }),
    );
    expect(decodeMuLaw(encodeMuLaw([2, -2])).map((x) => x * 32768)).toEqual(Float32Array.of(32124, -32124));
  });
});
