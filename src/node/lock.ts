import { createHash, randomBytes } from "node:crypto";
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import { checkText } from "../check.ts";
import { WriteError } from "./replace-file.ts";

/*
 * `<file>.lock` says which process writes a file. A lock of a process that has ended is taken over at once.
 *
 * Looking at a lock and taking it are two steps, between which another could take it as well. So both are done as the
 * only one: whoever wants to look first makes a claim, a file of a name that nobody else ever has, then reads which other
 * claims there are, and steps back where there is one. Of two, the one who reads later sees the other's claim, so never do
 * both go on; and a claim left by the dead can be removed by anybody, because its name never comes again. (A single guard
 * file has no such way: while one removes an old guard, another has just made a new one of the same name.)
 */

interface Holder {
  readonly pid: number;
  /** When that process began; null where the system does not tell. */
  readonly start: string | null;
  readonly host: string;
  readonly thread?: number;
}

/** The lock is held by somebody else. */
export class LockedError extends Error {
  /** Tells it from other errors, also across realms. */
  override readonly name = "LockedError";
}

/** How long others may look at the lock before it is an error: each takes less than a millisecond. */
const PATIENCE_MS = 5000;
/** More than any lock file has. */
const LONGEST = 4096;

/**
 * Takes `<file>.lock` for this thread of this process; returns what gives it back. The lock is also given back by the end of
 * the process or, on Linux and macOS, of the worker thread, however it ends.
 *
 * @throws LockedError that names who holds it and what to do; WriteError where no lock can be written.
 * @example const unlock = await lock("runs/mine");
 */
export async function lock(file: string): Promise<() => void> {
  checkText("lock", "file", file);
  const lockFile = `${file}.lock`;
  try {
    return await take(file, lockFile);
  } catch (cause) {
    throw cause instanceof LockedError ? cause : new WriteError(lockFile, cause);
  }
}

async function take(file: string, lockFile: string): Promise<() => void> {
  const leave = await enter(lockFile);
  let held: number | undefined;
  try {
    const holder = readHolder(lockFile);
    if (holder && isHeld(holder, lockFile)) {
      const elsewhere = holder.host === hostname() ? "" : ` on ${holder.host}`;
      const thread = holder.pid === process.pid && holder.thread ? ` (worker thread ${holder.thread} of it)` : "";
      throw new LockedError(
        `${basename(file)} is being written by process ${holder.pid}${elsewhere}; it has one writer at a time. ` +
          `Close that one${thread}, or remove ${lockFile} if it is gone`,
      );
    }
    // A file of its own, so that what an earlier holder may still have open is not this lock.
    rmSync(lockFile, { force: true });
    held = openSync(lockFile, "wx");
    writeFileSync(held, JSON.stringify({ ...self(), thread: threadId }));
  } catch (error) {
    if (held !== undefined) {
      closeSync(held);
      rmSync(lockFile, { force: true });
    }
    throw error;
  } finally {
    leave();
  }
  // Open for as long as the lock is held: that is how other threads of this process see it.
  const descriptor = held;
  let given = false;
  return () => {
    if (given) return;
    given = true;
    // Whoever removed the lock by hand may have let somebody else take it since.
    if (isSameFile(descriptor, lockFile)) rmSync(lockFile, { force: true });
    closeSync(descriptor);
  };
}

/**
 * Waits to be the only one that looks at the lock; returns what lets the next one look. Claims are empty files: their names
 * say all, so that they are whole from the start and need no room on the disk.
 */
async function enter(lockFile: string): Promise<() => void> {
  const folder = dirname(lockFile);
  // A hash, because the file's name may be as long as a name can be.
  const stem = `.handgrad-${createHash("sha256").update(basename(lockFile)).digest("hex").slice(0, 16)}-`;
  const me = self();
  const mine = `${stem}${[me.pid, me.start ?? "", threadId, randomBytes(8).toString("hex"), encodeURIComponent(me.host)].join("-")}`;
  const claim = join(folder, mine);
  for (const until = Date.now() + PATIENCE_MS; ; ) {
    const descriptor = openSync(claim, "wx");
    const leave = () => {
      closeSync(descriptor);
      rmSync(claim, { force: true });
    };
    let claimant: string | undefined;
    try {
      const claims = readdirSync(folder).filter((name) => name.startsWith(stem) && name !== mine);
      claimant = claims.find((name) => isInTheWay(join(folder, name), name.slice(stem.length)));
    } catch (error) {
      leave();
      throw error;
    }
    if (claimant === undefined) return leave;
    leave();
    if (Date.now() > until) {
      throw new LockedError(
        `somebody else has been taking ${lockFile} for ${PATIENCE_MS / 1000} s. If nobody is, remove ${join(folder, claimant)}`,
      );
    }
    await sleep(1 + 20 * Math.random());
  }
}

/** Whether a claim is of somebody who lives; one of the dead is removed. */
function isInTheWay(claim: string, text: string): boolean {
  const [pid, start, , , ...host] = text.split("-");
  const holder = { pid: Number(pid), start: start || null, host: decodeURIComponent(host.join("-")) };
  if (isHeld(holder, claim)) return true;
  rmSync(claim, { force: true });
  return false;
}

const self = (): Holder => ({ pid: process.pid, start: stateOf(process.pid)?.start ?? null, host: hostname() });

function readHolder(lockFile: string): Holder | undefined {
  try {
    return holderOf(readFileSync(lockFile, "utf8").slice(0, LONGEST));
  } catch {
    // Missing, or half written by a process killed while it took the lock: held by nobody.
    return undefined;
  }
}

function holderOf(text: string): Holder | undefined {
  const { pid, start, host, thread } = (JSON.parse(text) ?? {}) as Partial<Holder>;
  if (!Number.isSafeInteger(pid) || pid! <= 0 || typeof host !== "string") return undefined;
  return {
    pid: pid!,
    start: typeof start === "string" ? start : null,
    host,
    ...(Number.isSafeInteger(thread) && { thread: thread! }),
  };
}

/** Whether who wrote this file still runs: the same pid alone could be another process by now. */
function isHeld(holder: Holder, file: string): boolean {
  // Processes of another machine or container cannot be looked up.
  if (holder.host !== hostname()) return true;
  if (holder.pid === process.pid) {
    const mine = stateOf(process.pid)?.start;
    if (holder.start !== null && mine !== undefined && holder.start !== mine) return false;
    // Threads cannot be looked up. But what a thread has open is closed when it ends.
    return isOpenHere(file);
  }
  const state = stateOf(holder.pid);
  if (state) return !state.ended && (holder.start === null || holder.start === state.start);
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether some thread of this process has the file open; true where the system does not tell. */
function isOpenHere(file: string): boolean {
  const list = process.platform === "linux" ? "/proc/self/fd" : process.platform === "darwin" ? "/dev/fd" : undefined;
  if (!list) return true;
  try {
    return readdirSync(list).some((descriptor) => isSameFile(Number(descriptor), file));
  } catch {
    return true;
  }
}

function isSameFile(descriptor: number, path: string): boolean {
  try {
    const [open, named] = [fstatSync(descriptor, { bigint: true }), statSync(path, { bigint: true })];
    return open.ino === named.ino && open.dev === named.dev;
  } catch {
    return false;
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
