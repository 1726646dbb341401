import { CommanderError } from "commander";
import { DataError } from "handgrad/data";
import { WeightsError } from "handgrad/model";
import { WriteError } from "handgrad/node";
import { FeedbackLogError } from "handgrad/rl";
import { Stopped } from "./pipeline.ts";
import { say } from "./progress.ts";
import { UsageError } from "./settings.ts";

/** Errors of the system that whoever called can mend by naming another path or giving access. */
const WRONG_PATH = new Set([
  "EACCES",
  "EEXIST",
  "EISDIR",
  "ELOOP",
  "ENAMETOOLONG",
  "ENOENT",
  "ENOTDIR",
  "EPERM",
  "EROFS",
]);

/** Whether it comes of a system that could not do what it was asked, though nothing was wrong with the asking. */
const isFullDisk = ({ cause }: Error): boolean =>
  cause instanceof Error &&
  (["ENOSPC", "EDQUOT", "EIO"].includes((cause as NodeJS.ErrnoException).code ?? "") || isFullDisk(cause));

/** Says why a command ended, in one line; the trace is shown for faults of this program alone. Gives the exit code. */
export function tell(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Called without a command, it is the whole help that Commander would say.
    const message = /^\(outputHelp\)$/.test(error.message) ? "a command is missing" : error.message;
    say(`handgrad: ${message.replace(/^error: /, "").replaceAll("\n", " ")}. See handgrad --help`);
    return 2;
  }
  if (error instanceof Stopped) {
    say(error.message);
    return 130;
  }
  if (!(error instanceof Error)) {
    say(String(error));
    return 1;
  }
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isSystem = typeof code === "string" && syscall !== undefined;
  if (error instanceof WriteError || isSystem) {
    say(`handgrad: ${error.message}`);
    return WRONG_PATH.has(code ?? "") ? 2 : 1;
  }
  if ([UsageError, DataError, WeightsError, FeedbackLogError].some((known) => error instanceof known)) {
    say(`handgrad: ${error.message}`);
    return isFullDisk(error) ? 1 : 2;
  }
  if (error.name === "LockedError" || code === "ERR_INVALID_ARG_VALUE") {
    say(`handgrad: ${error.message}`);
    return 2;
  }
  if (/^openAdapter: |^no folder to unpack |device was lost|GPU refused|engine was destroyed/.test(error.message)) {
    say(`handgrad: ${error.message.replaceAll("\n", " ")}`);
    return 1;
  }
  say(error.stack ?? error.message);
  return 1;
}
