import { checkArray, checkNumber } from "../../check.ts";
import { DataError } from "../errors.ts";
import { SAMPLE_RATE } from "./encodeSound.ts";

/**
 * Encodes one channel as a WAV file of 16-bit PCM. A sound beyond -1 … 1 is scaled as a whole instead of clipped.
 *
 * @param samples [N]
 * @param sampleRate in Hz. Default 8000.
 * @returns the bytes of the file.
 * @throws DataError where a sample is no finite number; RangeError where the sample rate is none.
 * @example await writeFile("seven.wav", encodeWav(samples, 16000));
 */
export function encodeWav(samples: Float32Array, sampleRate = 8000): Uint8Array<ArrayBuffer> {
  checkArray("encodeWav", "samples", samples, "Float32Array");
  checkNumber("encodeWav", "sampleRate", sampleRate, SAMPLE_RATE);
  const wrong = samples.findIndex((x) => !Number.isFinite(x));
  if (wrong >= 0) throw new DataError(`encodeWav: sample ${wrong} is ${samples[wrong]}, expected a finite number`);
  const peak = samples.reduce((peak, x) => Math.max(peak, Math.abs(x)), 1);
  const size = 2 * samples.length;
  const view = new DataView(new ArrayBuffer(44 + size));
  const text = (at: number, letters: string) => {
    for (let i = 0; i < letters.length; i++) view.setUint8(at + i, letters.charCodeAt(i));
  };
  text(0, "RIFF");
  view.setUint32(4, 36 + size, true); // what follows
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // size of the format
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a sample of all channels
  view.setUint16(34, 16, true); // bits a sample
  text(36, "data");
  view.setUint32(40, size, true);
  for (let i = 0; i < samples.length; i++) view.setInt16(44 + 2 * i, Math.round((samples[i]! / peak) * 32767), true);
  return new Uint8Array(view.buffer);
}
