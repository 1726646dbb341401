import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DataError,
  decodeALaw,
  decodeWav,
  encodeALaw,
  encodeSound,
  encodeWav,
  type WavEncoding,
} from "../../../src/data/index.ts";
import { apart } from "../apart.ts";
import { expected, file, sound } from "../sound.ts";

describe("WAV", () => {
  test.each(Object.entries(expected.files))("%s by SoX is what SoX reads in it", (name, values) => {
    const { sampleRate, channels } = decodeWav(file(name), name);
    expect([sampleRate, channels.length]).toEqual([8000, 2]);
    const interleaved = values.map((_, i) => channels[i % 2]![i >> 1]!);
    expect(apart(interleaved, values)).toBeLessThan(1e-7);
  });

  const exact: Record<WavEncoding, number> = {
    pcm8: 1 / 128,
    pcm16: 2 ** -15,
    pcm24: 2 ** -23,
    pcm32: 2 ** -24,
    float32: 2 ** -24,
    float64: 2 ** -24,
    alaw: 1 / 16,
    mulaw: 1 / 16,
  };
  test.each(Object.entries(exact) as [WavEncoding, number][])("%s: what is written is read again", (encoding, step) => {
    const samples = fc.array(fc.double({ min: -0.98, max: 0.98, noNaN: true }), { maxLength: 20 });
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 192000 }), (x, n, sampleRate) => {
        const channels = Array.from({ length: n }, (_, c) => Float32Array.from(x, (v) => v / (c + 1)));
        const back = decodeWav(encodeSound({ sampleRate, channels }, encoding));
        expect([back.sampleRate, back.channels.length]).toEqual([sampleRate, n]);
        for (const [c, channel] of channels.entries()) {
          expect(back.channels[c]).toHaveLength(x.length);
          for (const [i, v] of channel.entries()) expect(Math.abs(v - back.channels[c]![i]!)).toBeLessThanOrEqual(step);
        }
      }),
    );
    // What was read once is read again bit for bit.
    const once = decodeWav(encodeSound({ sampleRate: 8000, channels: [sound(300)] }, encoding));
    expect(decodeWav(encodeSound(once, encoding))).toEqual(once);
  });

  test("every A-law code comes back, and what encodeWav writes is read", () => {
    const codes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(encodeALaw(decodeALaw(codes))).toEqual(codes);
    expect(decodeALaw(Uint8Array.of(0xd5, 0x55, 0xaa, 0x2a)).map((x) => x * 32768)).toEqual(
      Float32Array.of(8, -8, 32256, -32256),
    );
    const { channels } = decodeWav(encodeWav(Float32Array.of(0, 0.5, -1), 16000));
    expect(apart(channels[0]!, [0, 0.5, -1])).toBeLessThan(1e-4);
  });

  test("other chunks are passed over, also of odd sizes, and a length that was never written", () => {
    const [head, data] = [file("pcm16.wav").subarray(0, 36), file("pcm16.wav").subarray(36)];
    const note = Uint8Array.of(0x4c, 0x49, 0x53, 0x54, 3, 0, 0, 0, 1, 2, 3, 0);
    const wav = Uint8Array.of(...head, ...note, ...data);
    expect(decodeWav(wav)).toEqual(decodeWav(file("pcm16.wav")));
    wav.fill(0xff, 36 + 12 + 4, 36 + 12 + 8);
    expect(decodeWav(wav)).toEqual(decodeWav(file("pcm16.wav")));
  });

  const changed = (name: string, change: (view: DataView) => void) => {
    const bytes = file(name);
    change(new DataView(bytes.buffer));
    return bytes;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ["no WAV", new Uint8Array(50), /^x: not a WAV file: 50 bytes/],
    ["nothing", new Uint8Array(0), /^x: not a WAV file: 0 bytes/],
    [
      "a truncated one",
      file("pcm16.wav").subarray(0, 100),
      /"data" at byte 36 claims 200 bytes, 56 are left: the file is cut off/,
    ],
    ["one without samples", file("pcm16.wav").subarray(0, 36), /without a chunk "data"/],
    [
      "half a sample",
      changed("pcm16.wav", (v) => v.setUint32(40, 199, true)),
      /199 bytes of samples are not a multiple of 4/,
    ],
    [
      "another format",
      changed("pcm16.wav", (v) => v.setUint16(20, 85, true)),
      /^x: WAV of format 85 with 16 bits, expected PCM/,
    ],
    ["odd bits", changed("pcm16.wav", (v) => v.setUint16(34, 12, true)), /format 1 with 12 bits/],
    ["no channels", changed("pcm16.wav", (v) => v.setUint16(22, 0, true)), /0 channels/],
    ["sizes that differ", changed("pcm16.wav", (v) => v.setUint16(32, 3, true)), /4 bytes, its header says 3/],
    [
      "a sample that is no number",
      changed("float32.wav", (v) => v.setUint32(v.byteLength - 4, 0x7fc00000, true)),
      /is NaN/,
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => decodeWav(bytes, "x")).toThrow(DataError);
    expect(() => decodeWav(bytes, "x")).toThrow(message);
  });

  test("channels of different lengths are not written", () => {
    const channels = [new Float32Array(2), new Float32Array(3)];
    expect(() => encodeSound({ sampleRate: 8000, channels })).toThrow("1 to 256 channels of one length, found [2, 3]");
  });
});

describe("WAV of writers that could not know the length", () => {
  const samples = [100, -200, 300, -400];
  interface Header {
    data: number;
    riff?: number;
    channels?: number;
    tail?: readonly number[];
    before?: readonly number[];
  }
  function wav({ data, riff = 36, channels = 1, tail = [], before = [] }: Header) {
    const bytes = Buffer.alloc(44 + before.length + 8 + tail.length);
    bytes.write("RIFF", 0, "latin1");
    bytes.writeUInt32LE(riff, 4);
    bytes.write("WAVEfmt ", 8, "latin1");
    bytes.set([16, 0, 0, 0, 1, 0, channels, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2 * channels, 0, 16, 0], 16);
    bytes.set(before, 36);
    const at = 36 + before.length;
    bytes.write("data", at, "latin1");
    bytes.writeUInt32LE(data, at + 4);
    for (const [i, x] of samples.entries()) bytes.writeInt16LE(x, at + 8 + 2 * i);
    bytes.set(tail, at + 16);
    return bytes;
  }
  const read = (header: Header) => decodeWav(wav(header), "x.wav").channels.map((c) => [...c].map((x) => x * 32768));
  const letters = (text: string) => [...Buffer.from(text, "latin1")];

  test.each([0, 0x7ffff000, 0x7fffffff, 0x7fffffdb, 0x80000000, 0xffffff00, 0xffffffdb, 0xffffffff])("0x%s", (data) => {
    for (const riff of [0, 36, data, 0xffffffff]) expect(read({ data, riff })).toEqual([samples]);
    // Cut off within a sample of two channels: what is whole is there.
    expect(read({ data, tail: [1, 2, 3] })).toEqual([[...samples, 513]]);
    expect(read({ data, channels: 2, tail: [1, 2, 3] })).toEqual([
      [100, 300],
      [-200, -400],
    ]);
  });

  test("a sound of no samples with chunks after it stays empty", () => {
    const empty = wav({ data: 0 }).subarray(0, 44);
    expect(decodeWav(Buffer.concat([empty, Buffer.from(letters("LIST\x04\0\0\0abcd"))])).channels[0]).toHaveLength(0);
    expect(decodeWav(empty).channels[0]).toHaveLength(0);
  });

  test("a wrong size of the whole file, and odd chunks with and without their even byte", () => {
    for (const riff of [0, 7, 0xffffffff]) expect(read({ data: 8, riff })).toEqual([samples]);
    expect(read({ data: 8, before: letters("note\x03\0\0\0abc\0") })).toEqual([samples]);
    expect(read({ data: 8, before: letters("note\x03\0\0\0abc") })).toEqual([samples]);
    expect(read({ data: 8, tail: letters("LIST\x04\0\0\0abcd") })).toEqual([samples]);
  });

  test("a length that was known and is not there is still a file that is cut off", () => {
    expect(() => read({ data: 100 })).toThrow(
      'x.wav: damaged WAV: chunk "data" at byte 36 claims 100 bytes, 8 are left',
    );
  });
});
