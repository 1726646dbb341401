import { expect, test } from "vitest";
import { encodeWav } from "../../../src/data/index.ts";

test("WAV: a header that says what follows, and a loud sound turned down as a whole", () => {
  const bytes = encodeWav(Float32Array.of(0, 1, -2, 0.5), 8000);
  const view = new DataView(bytes.buffer);
  const text = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  expect([0, 8, 12, 36].map(text)).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
  expect([4, 16, 24, 28, 40].map((at) => view.getUint32(at, true))).toEqual([44, 16, 8000, 16000, 8]);
  expect([20, 22, 32, 34].map((at) => view.getUint16(at, true))).toEqual([1, 1, 2, 16]);
  expect([44, 46, 48, 50].map((at) => view.getInt16(at, true))).toEqual([0, 16384, -32767, 8192]);
});
