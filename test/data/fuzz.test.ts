import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError, decodeNpy, decodeNpz, decodeWav, parseCsv, Tokenizer } from "../../src/data/index.ts";
import { decodeSafetensors, encodeSafetensors, WeightsError } from "../../src/model/safetensors.ts";
import { decodeImage } from "../../src/node/decode-image.ts";
import { soon } from "../soon.ts";
import { damaged, withPngChecksums } from "./mutate.ts";

/*
 * Damaged files of each format: what comes out is a valid result of bounded size, or an error of ours that names the
 * file, soon. `npm run fuzz` tries 10,000 of each; a seed of a failure is printed, and repeats it as FUZZ_SEED.
 */

const numRuns = Number(process.env.FUZZ_RUNS ?? 300);
const seed = process.env.FUZZ_SEED ? { seed: Number(process.env.FUZZ_SEED) } : {};
/** One file, on a busy machine. */
const MOST_MILLISECONDS = 3000;

const file = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
const files = (...names: string[]) => names.map(file);
const text = (decode: (text: string) => unknown) => (bytes: Uint8Array) => decode(new TextDecoder().decode(bytes));
const encode = (text: string) => new TextEncoder().encode(text);

const pngs = files("gray.png", "gray1.png", "gray-alpha.png", "rgb.png", "rgba.png", "palette.png", "gray16.png");
const weights = encodeSafetensors({
  tensors: new Map([
    ["a", { shape: [2, 3], data: new Float32Array(6) }],
    ["b", { shape: [0], data: new Float32Array(0) }],
    ["c", { shape: [4], data: new Float32Array(4) }],
  ]),
  metadata: { note: "x" },
});

interface Format {
  readonly good: readonly Uint8Array[];
  readonly read: (bytes: Uint8Array, name: string) => unknown;
  /** Numbers that a byte of a file may become. */
  readonly growth: number;
  readonly error?: new (message: string) => Error;
  /** Repairs checksums. */
  readonly repair?: (bytes: Uint8Array) => Uint8Array;
}

const formats: Record<string, Format> = {
  wav: {
    good: files(
      "pcm8.wav",
      "pcm16.wav",
      "pcm24.wav",
      "pcm32.wav",
      "float32.wav",
      "float64.wav",
      "mulaw.wav",
      "alaw.wav",
    ),
    read: decodeWav,
    growth: 1,
  },
  png: { good: pngs, read: decodeImage, growth: 4 * 8 * 1032 },
  "png with right checksums": { good: pngs, read: decodeImage, growth: 4 * 8 * 1032, repair: withPngChecksums },
  jpeg: {
    good: files("rgb.jpg", "rgb420.jpg", "gray.jpg", "progressive.jpg"),
    read: decodeImage,
    growth: 3 * 2048,
  },
  npy: {
    good: files(
      "f4.npy",
      "f8-big.npy",
      "i8.npy",
      "bool.npy",
      "fortran.npy",
      "text.npy",
      "bytes.npy",
      "empty.npy",
      "f2.npy",
    ),
    read: decodeNpy,
    growth: 8000, // a million strings of no letters, at most
  },
  npz: { good: files("stored.npz", "packed.npz"), read: decodeNpz, growth: 8000 },
  safetensors: { good: [weights], read: decodeSafetensors, growth: 1, error: WeightsError },
  csv: {
    good: [encode('file,label\na.png,cat\n"b, ""c"".png",dog\r\n\n"two\nlines",cat\n')],
    read: (bytes, name) => text((t) => parseCsv(t, name))(bytes),
    growth: 1,
  },
};

describe.each(Object.entries(formats))("%s", (_, { good, read, growth, error = DataError, repair = (x) => x }) => {
  test("good files are read", async () => {
    for (const bytes of good) await read(bytes, "file");
  });

  test(`${numRuns} damaged ones give a result or an error that names the file, soon`, async () => {
    await fc.assert(
      fc.asyncProperty(damaged(good), async (bytes) => {
        const input = repair(bytes);
        const expectSoon = soon(MOST_MILLISECONDS);
        try {
          expect(numbersIn(await read(input, "the-file"))).toBeLessThanOrEqual(1000 + growth * input.length);
        } catch (fault) {
          if (!(fault instanceof error)) throw fault;
          expect(fault.message.startsWith("the-file")).toBe(true);
          expect(fault.message.length).toBeLessThan(2000);
        }
        expectSoon();
      }),
      { numRuns, ...seed },
    );
  });
});

test("a tokenizer's JSON, damaged, is a DataError or another tokenizer", () => {
  const good = encode(JSON.stringify(Tokenizer.fit(["one two", "two three"], { numWords: 9, outOfVocabulary: "?" })));
  fc.assert(
    fc.property(damaged([good]), (bytes) => {
      let json: unknown;
      try {
        json = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        return;
      }
      try {
        Tokenizer.fromJSON(json);
      } catch (fault) {
        expect(fault).toBeInstanceOf(DataError);
      }
    }),
    { numRuns, ...seed },
  );
});

/** Numbers and letters in whatever a reader gives. */
function numbersIn(value: unknown): number {
  if (ArrayBuffer.isView(value)) return (value as unknown as { length: number }).length;
  if (typeof value === "string") return value.length;
  if (value instanceof Map) return numbersIn([...value.values()]);
  if (typeof value === "object" && value !== null) {
    return Object.values(value).reduce<number>((sum, part) => sum + numbersIn(part), 0);
  }
  return 1;
}
