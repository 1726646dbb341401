import { checkArray, checkList, checkName, checkNumber, checkObject, type NumberRule } from "../../check.ts";
import { DataError } from "../errors.ts";
import { encodeALaw } from "./alaw.ts";
import { encodeMuLaw } from "./mulaw.ts";
import type { Sound } from "./sound.ts";

/** How samples are written: the number of the format, and the bits a sample. */
const encodings: Readonly<Record<WavEncoding, readonly [format: number, bits: number]>> = {
  pcm8: [1, 8],
  pcm16: [1, 16],
  pcm24: [1, 24],
  pcm32: [1, 32],
  float32: [3, 32],
  float64: [3, 64],
  alaw: [6, 8],
  mulaw: [7, 8],
};

/** What a WAV file has room for. */
export const SAMPLE_RATE: NumberRule = {
  holds: (x) => Number.isInteger(x) && x >= 1 && x < 2 ** 32,
  expected: "a whole number of samples a second above 0",
};

/** How samples are written in a WAV file. */
export type WavEncoding = "pcm8" | "pcm16" | "pcm24" | "pcm32" | "float32" | "float64" | "alaw" | "mulaw";

/**
 * Encodes a sound of any number of channels as a WAV file, such that `decodeWav` gives the same samples where the encoding can
 * hold them. Integers are rounded, and clipped beyond -1 … 1. (`encodeWav` turns a loud sound down.)
 *
 * @param sound 1 to 256 channels of equal length, and the sample rate in Hz.
 * @param encoding of the samples. Default "pcm16".
 * @returns the bytes of the file.
 * @throws DataError where channels differ in length, or a sample is no finite number; RangeError where the sample rate or the encoding is none.
 * @example await writeFile("stereo.wav", encodeSound({ sampleRate: 44100, channels: [left, right] }));
 */
export function encodeSound(sound: Sound, encoding: WavEncoding = "pcm16"): Uint8Array<ArrayBuffer> {
  checkObject("encodeSound", "the sound", sound, "{ sampleRate, channels }");
  const { sampleRate, channels } = sound;
  checkName("encodeSound", "encoding", encoding, Object.keys(encodings) as WavEncoding[]);
  checkNumber("encodeSound", "sampleRate", sampleRate, SAMPLE_RATE);
  checkList("encodeSound", "channels", channels, "a list of Float32Array");
  for (const [i, channel] of channels.entries()) checkArray("encodeSound", `channel ${i}`, channel, "Float32Array");
  const [code, bits] = encodings[encoding];
  const length = channels[0]?.length ?? 0;
  if (channels.length === 0 || channels.length > 256 || channels.some((channel) => channel.length !== length)) {
    throw new DataError(
      `encodeSound: expected 1 to 256 channels of one length, found [${channels.map((channel) => channel.length).join(", ")}]`,
    );
  }
  for (const [c, channel] of channels.entries()) {
    const wrong = channel.findIndex((x) => !Number.isFinite(x));
    if (wrong >= 0)
      throw new DataError(
        `encodeSound: sample ${wrong} of channel ${c} is ${channel[wrong]}, expected a finite number`,
      );
  }
  const block = (channels.length * bits) / 8;
  const size = block * length;
  const view = new DataView(new ArrayBuffer(44 + size + (size & 1)));
  const text = (at: number, letters: string) => {
    for (let i = 0; i < letters.length; i++) view.setUint8(at + i, letters.charCodeAt(i));
  };
  text(0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, code, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * block, true);
  view.setUint16(32, block, true);
  view.setUint16(34, bits, true);
  text(36, "data");
  view.setUint32(40, size, true);
  for (const [c, channel] of channels.entries()) {
    const write = writer(view, encoding, channel);
    for (let i = 0; i < length; i++) write(44 + i * block + (c * bits) / 8, i);
  }
  return new Uint8Array(view.buffer);
}

function writer(view: DataView, encoding: WavEncoding, x: Float32Array): (at: number, i: number) => void {
  /** x·2^(bits-1), rounded and clipped to what so many bits hold. */
  const whole = (i: number, bits: number) =>
    Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, Math.round(x[i]! * 2 ** (bits - 1))));
  switch (encoding) {
    case "pcm8":
      return (at, i) => view.setUint8(at, whole(i, 8) + 128);
    case "pcm16":
      return (at, i) => view.setInt16(at, whole(i, 16), true);
    case "pcm24":
      return (at, i) => {
        view.setUint16(at, whole(i, 24) & 0xffff, true);
        view.setInt8(at + 2, whole(i, 24) >> 16);
      };
    case "pcm32":
      return (at, i) => view.setInt32(at, whole(i, 32), true);
    case "float32":
      return (at, i) => view.setFloat32(at, x[i]!, true);
    case "float64":
      return (at, i) => view.setFloat64(at, x[i]!, true);
    default: {
      const bytes = encoding === "alaw" ? encodeALaw(x) : encodeMuLaw(x);
      return (at, i) => view.setUint8(at, bytes[i]!);
    }
  }
}
