import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { appendFile, mkdir, open, realpath } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FeedbackRecord } from "../rl/judgement.ts";
import { FeedbackLogError } from "../rl/judgement.ts";
import type { FeedbackLog, LogStorage } from "../rl/log.ts";
import { logOver } from "../rl/log.ts";
import { readLine } from "./read-log.ts";

export interface FeedbackLogOptions {
  /** Told, in a sentence, what was repaired on opening. Default: a line on stderr. */
  readonly onNotice?: (notice: string) => void;
}

/**
 * Opens the log in a file of JSON lines, made if missing. Each append is one write of one line, followed by a sync to
 * the disk. One process writes at a time, held by the lock file `<path>.lock`; a dead process's lock is taken over.
 *
 * A last line that was cut off (a process killed within a write) is taken off the file, with a notice, and kept in
 * `<path>.torn`; a complete last record that only lacks its newline is kept.
 *
 * @throws FeedbackLogError if another process holds the log (naming its pid), or a line is corrupt (naming file and
 *   line); the file is then as it was.
 */
export async function openFeedbackLog(path: string, options: FeedbackLogOptions = {}): Promise<FeedbackLog> {
  const notice = options.onNotice ?? ((text) => process.stderr.write(`${text}\n`));
  await mkdir(dirname(path), { recursive: true });
  const handle = await open(path, "a+");
  let unlock: (() => void) | undefined;
  try {
    // The real path, so that two names of one file meet at one lock.
    const file = await realpath(path);
    unlock = await lock(file);
    await syncDirectory(dirname(file));
    const { records, length } = await readLog(handle, path, file, notice);
    return logOver(fileStorage(handle, path, length, unlock), records);
  } catch (error) {
    await handle.close();
    unlock?.();
    throw error;
  }
}

function fileStorage(handle: FileHandle, path: string, length: number, unlock: () => void): LogStorage {
  let broken: unknown;
  return {
    async write(line) {
      if (broken !== undefined) {
        throw new FeedbackLogError("an earlier write failed; open the log again", { file: path, cause: broken });
      }
      const bytes = Buffer.from(`${line}\n`);
      try {
        const { bytesWritten } = await handle.write(bytes);
        if (bytesWritten !== bytes.length) throw new Error(`${bytesWritten} of ${bytes.length} bytes were written`);
        await handle.datasync();
        length += bytes.length;
      } catch (cause) {
        // After a failed sync nobody knows what is on the disk, so this handle is not trusted again. Half a line is
        // taken off, or the next writer would add to it.
        broken = cause;
        await handle.truncate(length).catch(() => {});
        throw new FeedbackLogError(`the record was not stored: ${String(cause)}`, { file: path, cause });
      }
    },
    async close() {
      await handle.close();
      unlock();
    },
  };
}

/** Reads all records and repairs the end of the file; `length` in bytes is where the next line begins. */
async function readLog(handle: FileHandle, path: string, file: string, notice: (text: string) => void) {
  const bytes = await handle.readFile();
  const records: FeedbackRecord[] = [];
  const ids = new Set<string>();
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    const record = readLine(bytes.subarray(start, newline < 0 ? end : newline), path, line, end === bytes.length);
    if (record === undefined) {
      const torn = bytes.subarray(start);
      await appendFile(`${file}.torn`, Buffer.concat([torn, Buffer.from("\n")]));
      await handle.truncate(start);
      await handle.sync();
      notice(`${path}:${line}: dropped a last line that was cut off (${torn.length} bytes, kept in ${file}.torn)`);
      return { records, length: start };
    }
    if (ids.has(record.id)) notice(`${path}:${line}: id "${record.id}" occurs again and counts once`);
    else records.push(record);
    ids.add(record.id);
    start = end;
    if (newline < 0) {
      await handle.write("\n");
      await handle.sync();
      start += 1;
      notice(`${path}:${line}: the last line lacked its newline, which was added`);
    }
  }
  return { records, length: start };
}

/** Makes the file's name durable, and not only its contents. */
async function syncDirectory(directory: string): Promise<void> {
  // Windows opens no directories and needs no such sync.
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface Holder {
  readonly pid: number;
  readonly start: string | null;
  readonly host: string;
}

/** Takes `<file>.lock` for this process; returns what gives it back. */
async function lock(file: string): Promise<() => void> {
  const lockFile = `${file}.lock`;
  const mine = JSON.stringify({ pid: process.pid, start: stateOf(process.pid)?.start ?? null, host: hostname() });
  const leave = await enterGuard(`${lockFile}.guard`);
  try {
    const holder = readHolder(lockFile);
    if (holder && isAlive(holder)) {
      const elsewhere = holder.host === hostname() ? "" : ` on ${holder.host}`;
      throw new FeedbackLogError(
        `${basename(file)} is being written by process ${holder.pid}${elsewhere}; a log has one writer at a time. ` +
          `Close that one, or remove ${lockFile} if it is gone`,
        { file },
      );
    }
    writeFileSync(lockFile, mine);
  } finally {
    leave();
  }
  return () => {
    if (readHolder(lockFile)?.pid === process.pid) rmSync(lockFile, { force: true });
  };
}

/**
 * Looking at a lock and taking it are two steps, between which another process could take it as well. The guard is a
 * file held for both, for less than a millisecond; one that is seconds old belongs to a process killed in between.
 */
async function enterGuard(guard: string): Promise<() => void> {
  for (let attempt = 0; ; attempt++) {
    try {
      closeSync(openSync(guard, "wx"));
      return () => rmSync(guard, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const made = statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - made > 3000) rmSync(guard, { force: true });
      else if (attempt > 500) throw new FeedbackLogError(`could not take ${guard}`, { cause: error });
      else await sleep(10);
    }
  }
}

function readHolder(lockFile: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(lockFile, "utf8")) as Partial<Holder> | null;
    const { pid, start, host } = holder ?? {};
    if (!Number.isSafeInteger(pid) || pid! <= 0 || typeof host !== "string") return undefined;
    return { pid: pid!, start: typeof start === "string" ? start : null, host };
  } catch {
    // Missing, or half written by a process killed while it took the lock: held by nobody.
    return undefined;
  }
}

/** Whether the process that took the lock still runs: the same pid alone could be another one's by now. */
function isAlive(holder: Holder): boolean {
  // Processes of another machine or container cannot be looked up.
  if (holder.host !== hostname()) return true;
  const state = stateOf(holder.pid);
  if (state) return !state.ended && (holder.start === null || holder.start === state.start);
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Start time (in ticks since boot) of a process, and whether it has ended but is not buried yet; Linux only. */
function stateOf(pid: number): { start: string; ended: boolean } | undefined {
  try {
    // The second field is the program's name in brackets, in which anything may stand.
    const stat = readFileSync(join("/proc", String(pid), "stat"), "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { start: fields[19] ?? "", ended: fields[0] === "Z" || fields[0] === "X" };
  } catch {
    return undefined;
  }
}
