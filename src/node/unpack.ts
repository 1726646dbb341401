import { lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join, sep } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/**
 * Unpacks `.br` and `.tar.br` archives into one folder of this user's cache, once for all processes: into a folder of
 * its own first, which is then renamed, so that nobody meets half of it.
 *
 * @param name of the folder. Put the archives' version into it: a folder that exists is not looked into again.
 */
export function unpackOnce(name: string, archives: readonly string[]): string {
  const home = cacheFolder();
  const folder = join(home, name);
  if (exists(folder)) return folder;
  const part = mkdtempSync(join(home, `${name}-`));
  try {
    for (const archive of archives) {
      const data = brotliDecompressSync(readFileSync(archive));
      if (archive.endsWith(".tar.br")) unpackTar(data, part);
      else writeFileSync(join(part, basename(archive, ".br")), data, { mode: 0o755 });
    }
    renameSync(part, folder);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    // Another process may have been faster.
    if (!exists(folder)) throw error;
  }
  return folder;
}

/** `~/.cache/handgrad`, or a folder beside other people's where this user has no home to write to. */
function cacheFolder(): string {
  try {
    const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "handgrad");
    mkdirSync(folder, { recursive: true });
    return folder;
  } catch {
    const user = process.getuid?.() ?? "user";
    const folder = join(tmpdir(), `handgrad-${user}`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Libraries are loaded from here, so it must not be a folder that someone else laid out.
    const { uid, mode } = lstatSync(folder);
    if (process.getuid && (uid !== user || (mode & 0o022) !== 0)) {
      throw new Error(`${folder} can be written by others. Remove it, or set XDG_CACHE_HOME to a folder of your own.`);
    }
    return folder;
  }
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
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
