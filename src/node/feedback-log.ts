import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, readFile, realpath, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { checkFunction, checkOptions, checkText } from "../check.ts";
import type { FeedbackRecord } from "../rl/judgement.ts";
import { FeedbackLogError } from "../rl/judgement.ts";
import type { FeedbackLog, LogStorage } from "../rl/log.ts";
import { logOver } from "../rl/log.ts";
import { lock } from "./lock.ts";
import { readLine } from "./read-log.ts";
import { replaceFile, syncFolder, writeAll } from "./replace-file.ts";

/** Options of `openFeedbackLog`. */
export interface FeedbackLogOptions {
  /** Told, in a sentence, what was repaired on opening. Default: a line on stderr. */
  readonly onNotice?: (notice: string) => void;
}

/**
 * Opens the log in a file of JSON lines, made if missing. Each append is one write of one line, followed by a sync to the
 * disk, and by a look whether the line is where the next reader will look for it; many at once (`appendAll`) are stored
 * together or not at all. One process or thread writes at a time, held by the lock file `<path>.lock`; the lock of one that
 * has ended is taken over.
 *
 * A last line that was cut off (a process killed within a write) is taken off the file, with a notice, and kept in
 * `<path>.torn`; a complete last record that only lacks its newline is kept.
 *
 * @param path of the file; its folder is made if missing.
 * @param options.onNotice told what was repaired. Default: a line on stderr.
 * @returns the log.
 * @throws FeedbackLogError if another process holds the log (naming its pid), a line is corrupt (naming file and line), or
 *   the file cannot be opened (naming the reason); the file is then as it was.
 * @example const log = await openFeedbackLog("feedback.jsonl");
 */
export async function openFeedbackLog(path: string, options: FeedbackLogOptions = {}): Promise<FeedbackLog> {
  checkText("openFeedbackLog", "path", path);
  checkOptions("openFeedbackLog", options, { onNotice: true });
  if (options.onNotice !== undefined) checkFunction("openFeedbackLog", "onNotice", options.onNotice);
  const notice = options.onNotice ?? ((text) => process.stderr.write(`${text}\n`));
  let handle: FileHandle | undefined;
  let unlock: (() => void) | undefined;
  try {
    await mkdir(dirname(path), { recursive: true });
    handle = await openFile(path);
    // The real path, so that two names of one file meet at one lock.
    const file = await realpath(path);
    unlock = await lock(file);
    await syncFolder(dirname(file));
    const { records, length } = await readLog(handle, path, file, notice);
    return logOver(new FileStorage(handle, path, { length, unlock, notice }), records);
  } catch (cause) {
    await handle?.close();
    unlock?.();
    if (cause instanceof FeedbackLogError) throw cause;
    throw new FeedbackLogError(`the log does not open: ${(cause as Error).message}`, { file: path, cause });
  }
}

async function openFile(path: string): Promise<FileHandle> {
  const there = await stat(path).catch(() => undefined);
  // Asked before it is opened: a pipe would wait, and a device would take all that is written and keep nothing.
  if (there && !there.isFile()) throw new Error("it is not a file");
  return open(path, "a+");
}

class FileStorage implements LogStorage {
  #handle: FileHandle;
  /** Where the next line begins. */
  #length: number;
  readonly #path: string;
  /** As it was when the log was opened, whatever the process's folder is now. */
  readonly #place: string;
  readonly #unlock: () => void;
  #broken: unknown;

  readonly #notice: (text: string) => void;

  constructor(
    handle: FileHandle,
    path: string,
    { length, unlock, notice }: { length: number; unlock: () => void; notice: (text: string) => void },
  ) {
    this.#handle = handle;
    this.#path = path;
    this.#place = resolve(path);
    this.#length = length;
    this.#unlock = unlock;
    this.#notice = notice;
  }

  async write(lines: readonly string[]): Promise<void> {
    if (this.#broken !== undefined) {
      throw new FeedbackLogError("an earlier write failed; open the log again", {
        file: this.#path,
        cause: this.#broken,
      });
    }
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    try {
      await this.#takeIn();
      await this.#expectMine(this.#length);
      if (lines.length === 1) await this.#append(bytes);
      else await this.#appendTogether(bytes);
      this.#length += bytes.length;
    } catch (cause) {
      // After a failed write or sync nobody knows what is on the disk, so this storage is not trusted again.
      this.#broken = cause;
      const what = lines.length === 1 ? "the record was not stored" : `none of the ${lines.length} records was stored`;
      throw new FeedbackLogError(`${what}: ${(cause as Error).message}`, { file: this.#path, cause });
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      this.#unlock();
    }
  }

  async #append(bytes: Uint8Array): Promise<void> {
    let written = 0;
    const counting = {
      write: async (bytes: Uint8Array, at: number, length: number) => {
        const done = await this.#handle.write(bytes, at, length);
        written += done.bytesWritten;
        return done;
      },
    };
    try {
      await writeAll(counting, bytes);
      await this.#handle.datasync();
      await this.#expectMine(this.#length + bytes.length);
    } catch (cause) {
      await this.#takeOff(written);
      throw cause;
    }
  }

  /** Lines that somebody else added stay, and ours go behind them; half a line is taken off, as when a log is opened. */
  async #takeIn(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size <= this.#length) return;
    const all = Buffer.alloc(size);
    await this.#handle.read(all, 0, size, 0);
    const { records, length } = await readLines(this.#handle, all.subarray(this.#length), {
      at: this.#length,
      firstLine: all.subarray(0, this.#length).reduce((lines, byte) => (byte === 0x0a ? lines + 1 : lines), 1),
      path: this.#path,
      file: this.#place,
      notice: this.#notice,
    });
    this.#length = length;
    if (records.length > 0)
      this.#notice(
        `${this.#path}: somebody else added ${records.length} records while it was open; they count when it is opened again`,
      );
  }

  /** A process killed within a long write would leave some of its lines. So the file is written anew and replaced. */
  async #appendTogether(bytes: Uint8Array): Promise<void> {
    await replaceFile(this.#place, [await readFile(this.#place), bytes]);
    const former = this.#handle;
    this.#handle = await open(this.#place, "a+");
    await former.close();
    await this.#expectMine(this.#length + bytes.length);
  }

  /** Half a line is taken off, or the next writer would add to it; but nothing that somebody else wrote. */
  async #takeOff(written: number): Promise<void> {
    try {
      const { size } = await this.#handle.stat();
      if (written > 0 && size === this.#length + written) await this.#handle.truncate(this.#length);
    } catch {
      // The next one to open the log finds a last line that is cut off.
    }
  }

  /** What is written to a file that has lost its name, or beside lines that are not known here, is stored nowhere. */
  async #expectMine(length: number): Promise<void> {
    let named: BigIntStats;
    try {
      named = await stat(this.#place, { bigint: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new Error("the log's file was deleted or moved while it was open");
    }
    const open = await this.#handle.stat({ bigint: true });
    if (named.ino !== open.ino || named.dev !== open.dev)
      throw new Error("the log's file was replaced by another while it was open");
    if (open.size !== BigInt(length))
      throw new Error(
        `somebody else wrote to the log's file while it was open: it has ${open.size} bytes, expected ${length}`,
      );
  }
}

/** Reads all records and repairs the end of the file; `length` in bytes is where the next line begins. */
async function readLog(handle: FileHandle, path: string, file: string, notice: (text: string) => void) {
  return readLines(handle, await handle.readFile(), { at: 0, firstLine: 1, path, file, notice });
}

/** As `readLog`, of bytes that lie at this place in the file, where this line begins. */
async function readLines(
  handle: FileHandle,
  bytes: Buffer,
  {
    at,
    firstLine,
    path,
    file,
    notice,
  }: { at: number; firstLine: number; path: string; file: string; notice: (text: string) => void },
) {
  const records: FeedbackRecord[] = [];
  const byId = new Map<string, FeedbackRecord>();
  let start = 0;
  for (let line = firstLine; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    const record = readLine(bytes.subarray(start, newline < 0 ? end : newline), path, line, newline < 0);
    if (record === undefined) {
      const torn = bytes.subarray(start);
      await keepTorn(`${file}.torn`, torn);
      await handle.truncate(at + start);
      await handle.sync();
      notice(`${path}:${line}: dropped a last line that was cut off (${torn.length} bytes, kept in ${file}.torn)`);
      return { records, length: at + start };
    }
    const same = byId.get(record.id);
    if (!same) {
      records.push(record);
      byId.set(record.id, record);
    } else if (JSON.stringify(same) === JSON.stringify(record))
      notice(`${path}:${line}: id "${record.id}" occurs again and counts once`);
    else notice(`${path}:${line}: id "${record.id}" occurs again and says something else; the first counts`);
    start = end;
    if (newline < 0) {
      await writeAll(handle, "\n");
      await handle.sync();
      start += 1;
      notice(`${path}:${line}: the last line lacked its newline, which was added`);
    }
  }
  return { records, length: at + start };
}

/** What is taken off a log is on the disk elsewhere before. */
async function keepTorn(file: string, torn: Uint8Array): Promise<void> {
  const handle = await open(file, "a");
  try {
    await writeAll(handle, torn);
    await writeAll(handle, "\n");
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncFolder(dirname(file));
}
