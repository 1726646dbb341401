import { checkNumber, checkOptions, number } from "../../check.ts";
import { DataError } from "../errors.ts";
import { MOST_INFLATION } from "../image/header.ts";
import { crc32 } from "./crc32.ts";

/*
 * Zip archives (PKWARE's APPNOTE): files one after another, then a directory of them, then a record of where that is.
 * Compression is npm's `fflate`, loaded when it is first needed. The directory is read here, so that sizes are checked
 * before memory is taken, and checksums after, which fflate leaves to its user.
 */

/** Limits of unpacking. */
export interface UnzipOptions {
  /** Bytes that may come out of the archive in all. Default 2^31. */
  readonly maxBytes?: number;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;

/**
 * The files of an archive, by name.
 *
 * @param name of the archive, for errors.
 * @param wanted which files are unpacked. Default all; folders have no content and are left out.
 * @throws DataError naming the archive and the fault.
 */
export async function unzip(
  bytes: Uint8Array,
  name = "archive",
  options: UnzipOptions = {},
  wanted: (file: string) => boolean = () => true,
): Promise<Map<string, Uint8Array>> {
  const fail = (fault: string) => new DataError(`${name}: damaged zip: ${fault}.`);
  checkOptions<UnzipOptions>("unzip", options, { maxBytes: true });
  const { maxBytes = 2 ** 31 } = options;
  checkNumber("unzip", "maxBytes", maxBytes, number.atLeast0);
  const entries = readDirectory(bytes, fail, (file) => !file.endsWith("/") && wanted(file));
  const compressed = entries.reduce((sum, entry) => sum + entry.compressed, 0);
  if (compressed > bytes.length) {
    throw fail(`its files claim ${compressed} bytes, the archive has ${bytes.length}: they overlap`);
  }
  const size = entries.reduce((sum, entry) => sum + entry.size, 0);
  if (size > maxBytes) throw fail(`${size} bytes would come out of it, more than the ${maxBytes} allowed (maxBytes)`);
  const { inflateSync } = await fflate();
  const files = new Map<string, Uint8Array>();
  for (const { file, method, data, size, crc } of entries) {
    if (files.has(file)) throw fail(`"${file}" occurs twice`);
    let content: Uint8Array;
    try {
      content = method === 0 ? data : inflateSync(data, { out: new Uint8Array(size) });
    } catch (cause) {
      throw fail(`"${file}" cannot be unpacked: ${(cause as Error).message}`);
    }
    if (content.length !== size) throw fail(`"${file}" has ${content.length} bytes, expected ${size}`);
    const found = crc32(content);
    if (found !== crc) {
      throw fail(`"${file}" has the CRC ${found.toString(16)}, expected ${crc.toString(16)}`);
    }
    files.set(file, content);
  }
  return files;
}

/** An archive of these files, compressed where asked for. The same files give the same bytes: no time is written. */
export async function zip(
  files: ReadonlyMap<string, Uint8Array>,
  { compress = false }: { compress?: boolean } = {},
): Promise<Uint8Array> {
  const { zipSync } = await fflate();
  // fflate writes names into an object of its own, where this one is lost.
  if (files.has("__proto__")) throw new DataError('zip: a file cannot be called "__proto__"');
  return zipSync(Object.fromEntries(files), { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}

interface Entry {
  readonly file: string;
  readonly method: number;
  readonly compressed: number;
  readonly size: number;
  readonly crc: number;
  readonly data: Uint8Array;
}

function readDirectory(
  bytes: Uint8Array,
  fail: (fault: string) => DataError,
  wanted: (file: string) => boolean,
): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number) => view.getUint16(at, true);
  const u32 = (at: number) => view.getUint32(at, true);
  // The record at the end may have a comment of up to 65,535 bytes after it.
  let end = bytes.length - 22;
  while (end >= 0 && end >= bytes.length - 22 - 65535 && u32(end) !== END) end--;
  if (end < 0 || u32(end) !== END) throw fail(`its ${bytes.length} bytes have no directory: it is cut off, or no zip`);
  const [count, start] = [u16(end + 10), u32(end + 16)];
  const entries: Entry[] = [];
  for (let at = start, i = 0; i < count; i++) {
    if (at + 46 > end || u32(at) !== ENTRY) throw fail(`entry ${i} of its directory is missing`);
    const [flags, method, crc, compressed, size] = [
      u16(at + 8),
      u16(at + 10),
      u32(at + 16),
      u32(at + 20),
      u32(at + 24),
    ];
    const [letters, extra, comment, local] = [u16(at + 28), u16(at + 30), u16(at + 32), u32(at + 42)];
    const file = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + letters));
    at += 46 + letters + extra + comment;
    if (!wanted(file)) continue;
    if (flags & 1) throw fail(`"${file}" is encrypted, which is not read`);
    if (method !== 0 && method !== 8) throw fail(`"${file}" is packed by method ${method}, expected 0 or 8 (deflate)`);
    if ([compressed, size, local].includes(0xffffffff))
      throw fail(`"${file}" is beyond 4 GB (zip64), which is not read`);
    if (local + 30 > bytes.length || u32(local) !== LOCAL)
      throw fail(`"${file}" is not at byte ${local}, where it should be`);
    const from = local + 30 + u16(local + 26) + u16(local + 28);
    if (from + compressed > bytes.length) throw fail(`"${file}" goes beyond the end of the archive`);
    if (size > (method === 0 ? compressed : MOST_INFLATION * compressed)) {
      throw fail(`"${file}" claims ${size} bytes, which ${compressed} packed ones cannot hold`);
    }
    entries.push({ file, method, compressed, size, crc, data: bytes.subarray(from, from + compressed) });
  }
  return entries;
}

async function fflate(): Promise<typeof import("fflate")> {
  try {
    return await import("fflate");
  } catch (cause) {
    throw new Error("zip: .npz needs the package `fflate`, which is not installed. Run: npm install fflate", { cause });
  }
}
