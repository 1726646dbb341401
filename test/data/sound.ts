import { readFileSync } from "node:fs";
import type { MfccOptions } from "../../src/data/index.ts";

/** By fixtures/make_audio.py: torchaudio (in float64) and SoX. */
export const expected: {
  mel: { samples: number; options: MfccOptions; log: number[] }[];
  mfcc: { samples: number; options: MfccOptions; features: number[] }[];
  resampled: { samples: number; from: number; to: number; values: number[] }[];
  files: Record<string, number[]>;
} = JSON.parse(readFileSync(new URL("./fixtures/audio.json", import.meta.url), "utf8"));
export const file = (name: string) => new Uint8Array(readFileSync(new URL(`./fixtures/${name}`, import.meta.url)));
export const rms = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length);

/** The sound that make_audio.py makes. */
export function sound(n: number): Float32Array {
  const x = Float32Array.from(
    { length: n },
    (_, i) => ((((i * i * 7 + i * 13) % 4001) / 4001 - 0.5) * (1 + (i % 400))) / 400,
  );
  return x.fill(0, Math.floor(n / 2), Math.floor(n / 2) + Math.floor(n / 5));
}
