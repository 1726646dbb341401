import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LogMel, MelSpectrogram, Mfcc, type MfccOptions } from "../../src/data/index.ts";
import { mul, sum } from "../../src/index.ts";
import { logMelLayer, melLayer, mfccLayer } from "../../src/model/index.ts";
import { apart } from "../data/apart.ts";
import { sound } from "../data/sound.ts";
import { runCase } from "../harness.ts";
import { useEngine } from "../use-engine.ts";

/* Features of whole batches on the device against torchaudio's of each clip, and against those of src/data/audio. */

const read = (name: string) => JSON.parse(readFileSync(new URL(`../data/fixtures/${name}`, import.meta.url), "utf8"));
type Logs = { samples: number; options: MfccOptions; log: number[] }[];
const audio: { mel: Logs; mfcc: { samples: number; options: MfccOptions; features: number[] }[] } = read("audio.json");
const slaney: Logs = read("slaney.json");

const engine = await useEngine({});

/** The layer's features of the sound twice and of silence between, as one batch. */
async function batch(layer: ReturnType<typeof melLayer>, n: number) {
  const waves = new Float32Array(3 * n);
  waves.set(sound(n), 0);
  waves.set(sound(n), 2 * n);
  let parts: Float32Array[] = [];
  await runCase(engine, {
    name: "",
    run: async () => {
      const y = await engine.step(() => layer(engine.tensor(waves, [3, n])));
      const data = (await y.data()) as Float32Array;
      parts = [0, 1, 2].map((i) => data.slice((i * data.length) / 3, ((i + 1) * data.length) / 3));
      y.dispose();
    },
  });
  expect(parts[2]).toEqual(parts[0]);
  return { sound: parts[0]!, silence: parts[1]! };
}

test.each(slaney)("on the host: $options.scale scale, $options.norm norm", ({ samples, options, log }) => {
  const mel = new MelSpectrogram({ ...options, floor: 1e-4 }).of(sound(samples), Math.log);
  expect(apart(mel, log)).toBeLessThan(1e-5);
});

test("a scale or norm that is none is named", () => {
  expect(() => new MelSpectrogram({ scale: "bark" as "htk" })).toThrow('scale is "bark", expected one of htk, slaney.');
  expect(() => new LogMel({ norm: "one" as "none" })).toThrow('LogMel: norm is "one", expected one of none, slaney.');
});

describe("on the device, torchaudio's", () => {
  test.each([...audio.mel, ...slaney])("log-mel of $samples samples, $options", async ({ samples, options, log }) => {
    const layer = logMelLayer(engine, { floor: 1e-4, standardize: false, ...options });
    const found = await batch(layer, samples);
    expect(apart(found.sound, log)).toBeLessThan(1e-4);
    expect(found.silence.every((x) => Math.abs(x - Math.log(1e-4)) < 1e-5)).toBe(true);
  });

  test.each(audio.mfcc)("MFCC of $samples samples, $options", async ({ samples, options, features }) => {
    const found = await batch(mfccLayer(engine, options), samples);
    expect(apart(found.sound, features)).toBeLessThan(1e-4);
    expect(found.silence.every(Number.isFinite)).toBe(true);
  });
});

test("the host's, standardized, of a short sound too", async () => {
  for (const n of [900, 100]) {
    const options = { center: false, maxFrames: 3 };
    const host = new LogMel(options).of(sound(n)).data;
    const found = await batch(logMelLayer(engine, options), n);
    expect(apart(found.sound, host)).toBeLessThan(1e-4);
    expect([...found.silence].every((x) => x === 0)).toBe(true);
  }
  expect(new Mfcc().of(sound(900)).data.length).toBeGreaterThan(0);
});

test("the host's by spectra of 400 and 401 samples, centered or not", async () => {
  for (const options of [{ fft: 400 }, { fft: 400, center: true }, { window: 401, fft: 401, center: true }]) {
    const settings = { ...options, bands: 20, floor: 1e-3 };
    const host = new MelSpectrogram(settings).of(sound(900), Math.log);
    const found = await batch(melLayer(engine, settings), 900);
    expect(apart(found.sound.map(Math.log), host)).toBeLessThan(1e-4);
  }
});

test("matrices beyond all memory are refused", () => {
  expect(() => melLayer(engine, { window: 2 ** 16, bands: 2 })).toThrow("melLayer: 4295098368 numbers would come out");
});

test("gradients go back to the samples", async () => {
  const layer = melLayer(engine, { sampleRate: 8000, window: 64, fft: 64, hop: 32, bands: 4 });
  const x = engine.parameter(sound(160), [1, 160]);
  const d = await engine.step(() => sum(layer(x)).backward().get(x));
  const numbers = (await d.data()) as Float32Array;
  const value = async (i: number, h: number) => {
    const moved = sound(160);
    moved[i]! += h;
    return (await engine.step(() => sum(mul(layer(engine.tensor(moved, [1, 160])), 1)))).item();
  };
  for (const i of [0, 31, 40, 130]) {
    const difference = ((await value(i, 0.05)) - (await value(i, -0.05))) / 0.1;
    expect(numbers[i]).toBeCloseTo(difference, 2);
  }
});

test("waves that are none are named", async () => {
  const layer = melLayer(engine);
  await expect(engine.step(() => layer(engine.tensor([1, 2], [2])))).rejects.toThrow("waves are [2], expected [N, S]");
});
