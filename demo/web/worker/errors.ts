import { DataError } from "handgrad/data";
import { FeedbackLogError } from "handgrad/rl";
import type { StartupError } from "../shared/protocol.ts";
import { StorageError } from "./storage.ts";

/** What is told of an error. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Why the page cannot begin, by the error that ended it. */
export function startupErrorOf(error: unknown): StartupError {
  if (error instanceof FeedbackLogError) {
    if (/another tab/.test(error.message)) return "other-tab";
    // A damaged line is no fault of the browser's.
    return error.line === undefined ? "storage" : "other";
  }
  if (error instanceof StorageError) return "storage";
  if (error instanceof DataError) return "data";
  return /no adapter/.test(String(error)) ? "no-adapter" : "other";
}
