import { createHash } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { cacheFolders, makeCacheFolder } from "./cache.ts";

/** What a folder must hold, in the folder itself: each file's length, and a hash of those that are looked into each time. */
const CONTENTS = "contents.json";
type Contents = Record<string, { bytes: number; sha256?: string }>;
/** Files up to this size are hashed at each start, which takes some milliseconds; of larger ones the length is looked at. */
const HASHED = 16 << 20;
/** Folders of processes killed while they unpacked are removed when they are this old. */
const ABANDONED_MS = 3600_000;

export interface UnpackOptions<T> {
  /** Changes what was unpacked, before anybody sees it. */
  readonly prepare?: (folder: string) => void;
  /** Uses the folder; where it throws (a disk that runs no programs), the next folder is tried. */
  readonly use?: (folder: string) => T;
}

/**
 * Unpacks `.br` and `.tar.br` archives into one folder of this user's cache, once for all processes: into a folder of
 * its own first, which is then renamed, so that nobody meets half of it. A folder in which something is missing, cut off or
 * unreadable is mended, file by file, so that whoever uses it meanwhile never misses one.
 *
 * @param name of the folder. Put the archives' version into it.
 * @returns what `use` makes of the folder, else its path.
 * @throws Error that names each folder that was tried, with the reason, and says what to do.
 */
export function unpackOnce<T = string>(name: string, archives: readonly string[], options: UnpackOptions<T> = {}): T {
  const { prepare = () => {}, use = (folder: string) => folder as T } = options;
  const faults: string[] = [];
  for (const folder of cacheFolders()) {
    try {
      makeCacheFolder(folder);
      return use(unpackInto(folder.home, name, archives, prepare));
    } catch (error) {
      faults.push(`${folder.home} (${(error as Error).message})`);
    }
  }
  throw new Error(
    `no folder to unpack ${name} into: ${faults.join("; ")}. Set XDG_CACHE_HOME to a folder of your own with some room.`,
  );
}

function unpackInto(
  home: string,
  name: string,
  archives: readonly string[],
  prepare: (folder: string) => void,
): string {
  const folder = join(home, name);
  if (isWhole(folder)) return folder;
  sweep(home, name);
  const part = mkdtempSync(join(home, `${name}-`));
  try {
    for (const archive of archives) {
      const data = brotliDecompressSync(readFileSync(archive));
      if (archive.endsWith(".tar.br")) unpackTar(data, part);
      else writeFileSync(join(part, basename(archive, ".br")), data, { mode: 0o755 });
    }
    prepare(part);
    const contents: Contents = {};
    for (const file of filesOf(part)) {
      const path = join(part, file);
      contents[file] = found(path);
      // A crash of the machine must not leave files of the right length that hold nothing.
      const descriptor = openSync(path, "r");
      fsyncSync(descriptor);
      closeSync(descriptor);
    }
    writeFileSync(join(part, CONTENTS), JSON.stringify(contents), { flush: true });
    takePlace(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  if (!isWhole(folder)) throw new Error(`${folder} is broken and cannot be mended. Remove it`);
  return folder;
}

/** Gives the folder its name; where there is one, each file takes the place of the one there. */
function takePlace(part: string, folder: string): void {
  const there = lstatSync(folder, { throwIfNoEntry: false });
  if (there && !there.isDirectory()) rmSync(folder, { force: true });
  try {
    renameSync(part, folder);
    return;
  } catch (error) {
    if (!lstatSync(folder, { throwIfNoEntry: false })) throw error;
  }
  // Somebody else was faster, or it is broken.
  if (isWhole(folder)) return;
  for (const file of [...filesOf(part), CONTENTS]) {
    const target = join(folder, file);
    mkdirSync(dirname(target), { recursive: true });
    if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory()) rmSync(target, { recursive: true });
    renameSync(join(part, file), target);
  }
}

function isWhole(folder: string): boolean {
  try {
    const contents = JSON.parse(readFileSync(join(folder, CONTENTS), "utf8")) as Contents;
    return Object.entries(contents).every(([file, { bytes, sha256 }]) => {
      const path = join(folder, file);
      if (statSync(path).size !== bytes) return false;
      if (sha256 !== undefined) return found(path).sha256 === sha256;
      closeSync(openSync(path, "r"));
      return true;
    });
  } catch {
    return false;
  }
}

function found(path: string): Contents[string] {
  const bytes = statSync(path).size;
  if (bytes > HASHED) return { bytes };
  return { bytes, sha256: createHash("sha256").update(readFileSync(path)).digest("hex") };
}

function filesOf(folder: string): string[] {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = all
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
  return files.filter((file) => file !== CONTENTS);
}

function sweep(home: string, name: string): void {
  for (const entry of readdirSync(home)) {
    if (!entry.startsWith(`${name}-`) || entry.length !== name.length + 7) continue;
    const left = join(home, entry);
    const made = lstatSync(left, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - made > ABANDONED_MS) rmSync(left, { recursive: true, force: true });
  }
}

/** Files and folders of a tar archive: 512-byte headers with a name, an octal size and a type, each before its data. */
function unpackTar(tar: Buffer, folder: string): void {
  const text = (at: number, length: number) => tar.toString("utf8", at, at + length).replace(/\0.*$/s, "");
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const path = join(folder, text(at + 345, 155), text(at, 100));
    const size = Number.parseInt(text(at + 124, 12), 8) || 0;
    const type = String.fromCharCode(tar[at + 156]!);
    if (!path.startsWith(folder + sep)) throw new Error(`the archive holds a path outside of it: ${path}`);
    if (type === "5") mkdirSync(path, { recursive: true });
    else if (type === "0" || type === "\0") {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, tar.subarray(at + 512, at + 512 + size), { mode: 0o755 });
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
