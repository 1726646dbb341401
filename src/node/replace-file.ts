import { checkIterable, checkName, checkOptions, checkText } from "../check.ts";

/*
 * How files are written whole (Node): into a new file beside the target, which then takes the target's name. Whoever reads
 * finds the old file or the new one, also after a crash, a full disk, or when two write to one name at once.
 */

/** What a file holds: text, which is written as UTF-8, or bytes. */
export type Content = string | Uint8Array;

/** Options of `replaceFile`. */
export interface ReplaceOptions {
  /** What happens to a file that is there already: it is replaced, or kept and the call refused. Default "replace". */
  readonly existing?: "replace" | "keep";
}

/** A file that could not be written; `code` is the system's, such as ENOSPC. */
export class WriteError extends Error {
  /** Tells it from other errors, also across realms. */
  override readonly name = "WriteError";
  /** The system's code, such as "ENOSPC", where it gave one. */
  readonly code: string | undefined;

  /**
   * @param path of the file.
   * @param cause what the system said.
   */
  constructor(
    /** The file that was not written. */
    readonly path: string,
    cause: unknown,
  ) {
    const { code, message = String(cause) } = (cause ?? {}) as { code?: string; message?: string };
    super(code === "EEXIST" ? `${path} is there already, and is kept` : `${path} was not written: ${message}`, {
      cause,
    });
    this.code = code;
  }
}

/** What is needed of an open file (Node's FileHandle). */
interface Writable {
  write(bytes: Uint8Array, at: number, length: number): Promise<{ bytesWritten: number }>;
}

/** Leftovers of processes killed while they wrote are removed when nobody has touched them for this long. */
const ABANDONED_MS = 3600_000;

/**
 * Writes a file whole or not at all, and durably: its bytes, then its name, are on the disk when the promise resolves.
 * The file keeps its permissions, and a link goes on pointing to it.
 *
 * @param content all of it, or its pieces one after the other.
 * @throws WriteError with the path and the system's reason; the file is then as it was, and nothing is left beside it.
 * @example await replaceFile("result.json", JSON.stringify(result));
 */
export async function replaceFile(
  path: string,
  content: Content | Iterable<Content> | AsyncIterable<Content>,
  options: ReplaceOptions = {},
): Promise<void> {
  checkText("replaceFile", "path", path);
  if (typeof content !== "string") checkIterable("replaceFile", "content", content);
  checkOptions<ReplaceOptions>("replaceFile", options, { existing: true });
  const { existing = "replace" } = options;
  checkName("replaceFile", "existing", existing, ["replace", "keep"]);
  const { chmod, open, realpath, rename, rm, stat } = await import("node:fs/promises");
  const { basename, dirname, join } = await import("node:path");
  const { randomBytes } = await import("node:crypto");
  let part: string | undefined;
  try {
    const target = existing === "replace" ? await realpath(path).catch(missing(path)) : path;
    const folder = dirname(target);
    // Short, so that no name of a file is too long for it.
    const stem = `.${basename(target).slice(0, 40)}.`;
    const name = join(folder, `${stem}${randomBytes(8).toString("hex")}.tmp`);
    const file = await open(name, "wx");
    part = name;
    try {
      const pieces = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
      for await (const piece of pieces) await writeAll(file, piece);
      const before = existing === "replace" ? await stat(target).catch(missing(undefined)) : undefined;
      if (before) await chmod(part, before.mode & 0o7777);
      await file.sync();
    } finally {
      await file.close();
    }
    if (existing === "replace") await rename(part, target);
    else {
      await takeName(part, target);
      await rm(part, { force: true });
    }
    part = undefined;
    await syncFolder(folder);
    await sweep(folder, stem);
  } catch (cause) {
    if (part !== undefined) await rm(part, { force: true }).catch(() => {});
    throw cause instanceof WriteError ? cause : new WriteError(path, cause);
  }
}

/** Writes all bytes: the system may take fewer than it is given, and says why only when asked again. */
export async function writeAll(file: Writable, content: Content): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    if (bytesWritten === 0) throw new Error(`only ${at} of ${bytes.length} bytes were written`);
    at += bytesWritten;
  }
}

/** Makes names in a folder durable, and not only what the files hold. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders and needs no such sync.
  if (process.platform === "win32") return;
  const { open } = await import("node:fs/promises");
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems of networks sync no folders.
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  } finally {
    await handle.close();
  }
}

/** Gives a file its name if nobody has that name yet. */
async function takeName(part: string, target: string): Promise<void> {
  const { link, open, rename, rm } = await import("node:fs/promises");
  try {
    await link(part, target);
  } catch (error) {
    // File systems without links: the name is taken by an empty file, which is then replaced.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw error;
    await (await open(target, "wx")).close();
    await rename(part, target).catch(async (failed) => {
      await rm(target, { force: true });
      throw failed;
    });
  }
}

async function sweep(folder: string, stem: string): Promise<void> {
  const { readdir, rm, stat } = await import("node:fs/promises");
  try {
    for (const name of await readdir(folder)) {
      if (!name.startsWith(stem) || !/\.[0-9a-f]{16}\.tmp$/.test(name)) continue;
      const file = `${folder}/${name}`;
      if (Date.now() - (await stat(file)).mtimeMs > ABANDONED_MS) await rm(file, { force: true });
    }
  } catch {
    // What was to be written is written; others may be sweeping too.
  }
}

/** For a file that need not be there. */
const missing =
  <T>(instead: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return instead;
    throw error;
  };
