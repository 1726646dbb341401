import { lstatSync, mkdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";

/** A folder in which what can be made again is kept. */
export interface CacheFolder {
  readonly home: string;
  /** Whether it lies where others may write too. */
  readonly shared: boolean;
}

/** `~/.cache/handgrad`, then a folder beside other people's for who has no home to write to. Never one of where we are. */
export function cacheFolders(): CacheFolder[] {
  const homes = [process.env.XDG_CACHE_HOME, safely(() => join(homedir(), ".cache"))];
  // As the XDG specification has it, the first that is absolute counts.
  const home = homes.find((path) => path && isAbsolute(path));
  const temporary = isAbsolute(tmpdir()) ? tmpdir() : "/tmp";
  const last = { home: join(temporary, `handgrad-${process.getuid?.() ?? "user"}`), shared: true };
  return home ? [{ home: join(home, "handgrad"), shared: false }, last] : [last];
}

/** Makes the folder. What lies in it is believed, so where others may write it must not be one that one of them laid out. */
export function makeCacheFolder({ home, shared }: CacheFolder): void {
  mkdirSync(home, shared ? { recursive: true, mode: 0o700 } : { recursive: true });
  if (!shared) return;
  const { uid, mode } = lstatSync(home);
  if (process.getuid && (uid !== process.getuid() || (mode & 0o022) !== 0)) {
    throw new Error("it can be written by others. Remove it");
  }
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
