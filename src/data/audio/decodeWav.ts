import { checkArray } from "../../check.ts";
import { textOfCodes } from "../../numbers.ts";
import { DataError } from "../errors.ts";
import { decodeALaw } from "./alaw.ts";
import { decodeMuLaw } from "./mulaw.ts";
import type { Sound } from "./sound.ts";

/*
 * WAV: "RIFF", a size, "WAVE", then chunks of a name, a size and data; `fmt ` says how the samples in `data` are
 * written. Whole numbers of b bits become x / 2^(b-1) (8 bits: (x - 128) / 128), as in soundfile and torchaudio.
 */

const PCM = 1;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;
/** What follows the number of the format in an extensible header: ...-0000-0010-8000-00AA00389B71. */
const GUID = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/**
 * From here on a length that the file does not have is one that its writer did not know and could not go back for: SoX and
 * eSpeak write 0x7ffff000, others 0x7fffffff, 0x80000000 or 0xffffffff, less what comes before or not.
 */
const UNKNOWN_SIZE = 0x7fff0000;

/**
 * Decodes a WAV file: PCM of 8, 16, 24 and 32 bits, float of 32 and 64, µ-law, A-law, also in extensible headers.
 * Where the writer did not know the length (a pipe, a recorder that was cut off), the samples are those that are there.
 *
 * @param bytes of the file.
 * @param name of the file, for errors. Default "sound".
 * @returns channels of samples in -1 … 1, and the sample rate.
 * @throws DataError naming the file and the fault; nothing is allocated for samples that are not in the file.
 * @example const { sampleRate, channels } = decodeWav(await readFile("seven.wav"), "seven.wav");
 */
export function decodeWav(bytes: Uint8Array, name = "sound"): Sound {
  checkArray("decodeWav", "bytes", bytes, "Uint8Array");
  const fail = (fault: string) => new DataError(`${name}: ${fault}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at: number) => textOfCodes(bytes.subarray(at, at + 4)).replace(/[^ -~]/g, "?");
  if (bytes.length < 12 || text(0) !== "RIFF" || text(8) !== "WAVE") {
    throw fail(
      `not a WAV file: ${bytes.length} bytes that begin with "${text(0)}" … "${text(8)}", expected "RIFF" … "WAVE"`,
    );
  }
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [chunk, claimed, left] = [text(at), view.getUint32(at + 4, true), bytes.length - at - 8];
    const unknown =
      chunk === "data" &&
      ((claimed >= UNKNOWN_SIZE && claimed > left) || (claimed === 0 && left > 0 && !isChunk(bytes, at + 8)));
    const size = unknown ? left : claimed;
    if (size > left) {
      throw fail(
        `damaged WAV: chunk "${chunk}" at byte ${at} claims ${size} bytes, ${left} are left: the file is cut off`,
      );
    }
    const data = bytes.subarray(at + 8, at + 8 + size);
    if (chunk === "fmt ") {
      if (format) throw fail('damaged WAV: it has two chunks "fmt ", which may say different things');
      format = readFormat(data, fail);
    }
    if (chunk === "data") {
      if (!format) throw fail('damaged WAV: its samples come before the chunk "fmt "');
      if (!unknown && hasSamples(bytes, at + 8 + size))
        throw fail('damaged WAV: it has two chunks "data", expected all samples in one');
      return { sampleRate: format.sampleRate, channels: deinterleave(data, format, unknown, fail) };
    }
    at += 8 + size;
    // Chunks begin at even bytes, though some writers forget it.
    if (size & 1 && !isChunk(bytes, at)) at++;
  }
  throw fail(`damaged WAV: ${bytes.length} bytes without a chunk "data": the file is cut off`);
}

/** Whether a chunk of samples is among those from here on; what is no chunk ends them. */
function hasSamples(bytes: Uint8Array, from: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = from; ; ) {
    if (!isChunk(bytes, at)) at++;
    if (!isChunk(bytes, at)) return false;
    if (textOfCodes(bytes.subarray(at, at + 4)) === "data") return true;
    at += 8 + view.getUint32(at + 4, true);
  }
}

/** Whether a chunk can begin here: four letters, and a size that the file has. */
function isChunk(bytes: Uint8Array, at: number): boolean {
  if (at + 8 > bytes.length || bytes.subarray(at, at + 4).some((byte) => byte < 0x20 || byte > 0x7e)) return false;
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 4, true);
  return size <= bytes.length - at - 8 || size >= UNKNOWN_SIZE;
}

interface Format {
  readonly code: number;
  readonly channels: number;
  readonly sampleRate: number;
  readonly bits: number;
}

type Fail = (fault: string) => DataError;

function readFormat(fmt: Uint8Array, fail: Fail): Format {
  if (fmt.length < 16) throw fail(`damaged WAV: chunk "fmt " has ${fmt.length} bytes, expected at least 16`);
  const view = new DataView(fmt.buffer, fmt.byteOffset, fmt.byteLength);
  let code = view.getUint16(0, true);
  const [channels, sampleRate] = [view.getUint16(2, true), view.getUint32(4, true)];
  const [block, bits] = [view.getUint16(12, true), view.getUint16(14, true)];
  if (code === EXTENSIBLE) {
    if (fmt.length < 40) throw fail(`damaged WAV: its extensible "fmt " has ${fmt.length} bytes, expected 40`);
    if (GUID.some((byte, i) => fmt[26 + i] !== byte)) throw fail("WAV of an unknown kind of samples (its GUID)");
    code = view.getUint16(24, true);
  }
  const known = (
    { [PCM]: [8, 16, 24, 32], [FLOAT]: [32, 64], [A_LAW]: [8], [MU_LAW]: [8] } as Record<number, number[]>
  )[code];
  if (!known?.includes(bits)) {
    throw fail(
      `WAV of format ${code} with ${bits} bits, expected PCM (1) of 8, 16, 24 or 32, float (3) of 32 or 64, A-law (6) or µ-law (7) of 8`,
    );
  }
  if (channels < 1 || channels > 256 || sampleRate < 1) {
    throw fail(`damaged WAV: ${channels} channels, ${sampleRate} samples a second`);
  }
  if (block !== (channels * bits) / 8) {
    throw fail(
      `damaged WAV: ${channels} channels of ${bits} bits are ${(channels * bits) / 8} bytes, its header says ${block}`,
    );
  }
  return { code, channels, sampleRate, bits };
}

function deinterleave(
  data: Uint8Array,
  { code, channels, bits }: Format,
  unknown: boolean,
  fail: Fail,
): Float32Array[] {
  const size = bits / 8;
  // A stream may end within a sample, which nobody has heard whole.
  const whole = unknown ? Math.floor(data.length / (size * channels)) * size * channels : data.length;
  const length = whole / (size * channels);
  if (!Number.isInteger(length)) {
    throw fail(
      `damaged WAV: ${data.length} bytes of samples are not a multiple of ${size * channels}: the file is cut off`,
    );
  }
  const sample = reader(data, code, bits);
  return Array.from({ length: channels }, (_, c) => {
    const samples = new Float32Array(length);
    for (let i = 0; i < length; i++) {
      const x = sample((i * channels + c) * size);
      if (!Number.isFinite(x)) throw fail(`damaged WAV: sample ${i} of channel ${c} is ${x}`);
      samples[i] = x;
    }
    return samples;
  });
}

/** The sample that begins at a byte of `data`. */
function reader(data: Uint8Array, code: number, bits: number): (at: number) => number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (code === MU_LAW || code === A_LAW) {
    const samples = code === MU_LAW ? decodeMuLaw(data) : decodeALaw(data);
    return (at) => samples[at]!;
  }
  if (code === FLOAT) {
    // Rounded to float32 here, so that a float64 beyond its range is seen as infinite.
    return bits === 32 ? (at) => view.getFloat32(at, true) : (at) => Math.fround(view.getFloat64(at, true));
  }
  switch (bits) {
    case 8:
      return (at) => (data[at]! - 128) / 128;
    case 16:
      return (at) => view.getInt16(at, true) / 2 ** 15;
    case 24:
      return (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23;
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31;
  }
}
