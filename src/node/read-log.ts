import { createReadStream } from "node:fs";
import { FeedbackLogError, type FeedbackRecord, parseRecord } from "../rl/judgement.ts";

/**
 * Reads a log's records one after the other, without taking its lock: also while another process writes, and of any
 * length. A last line that is cut off is left out, with a notice, and stays in the file.
 *
 * @throws FeedbackLogError naming file and line that cannot be read.
 */
export async function* readFeedbackLog(
  path: string,
  onNotice: (notice: string) => void = () => {},
): AsyncGenerator<FeedbackRecord> {
  let line = 0;
  // The line that was read last: only what follows tells whether it is the end of the file.
  let held: Uint8Array | undefined;
  try {
    for await (const bytes of linesOf(createReadStream(path))) {
      if (held) yield readLine(held, path, line, false)!;
      held = bytes;
      line += 1;
    }
  } catch (cause) {
    if (cause instanceof FeedbackLogError) throw cause;
    throw new FeedbackLogError(`cannot be read: ${(cause as Error).message}`, { file: path, cause });
  }
  if (!held) return;
  const last = readLine(held, path, line, true);
  if (last) yield last;
  else onNotice(`${path}:${line}: left out a last line that is cut off (${held.length} bytes)`);
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      yield Buffer.concat([...rest.splice(0), chunk.subarray(start, end)]);
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

/** The record of a line; undefined for a last line that is not JSON, which is what a killed write leaves behind. */
export function readLine(bytes: Uint8Array, file: string, line: number, last: boolean): FeedbackRecord | undefined {
  let text: string;
  try {
    // fatal: a damaged byte must be an error, and not silently become another character.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (last) JSON.parse(text);
  } catch (cause) {
    if (last) return undefined;
    throw new FeedbackLogError("not UTF-8 text", { file, line, cause });
  }
  return parseRecord(text, line, file);
}
