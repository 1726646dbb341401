import { createReadStream } from "node:fs";
import { checkFunction, checkText } from "../check.ts";
import { FeedbackLogError, type FeedbackRecord } from "../rl/judgement.ts";
import { parseRecord } from "../rl/record.ts";

/**
 * Reads a log's records one after the other, without taking its lock: also while another process writes, and of any
 * length. A last line that is cut off is left out, with a notice, and stays in the file.
 *
 * @param path of the file.
 * @param onNotice told, in a sentence, of a last line that is left out. Default: nobody is.
 * @returns the records, in order.
 * @throws FeedbackLogError naming file and line that cannot be read.
 * @example for await (const record of readFeedbackLog("feedback.jsonl")) console.log(record.kind, record.time);
 */
export async function* readFeedbackLog(
  path: string,
  onNotice: (notice: string) => void = () => {},
): AsyncGenerator<FeedbackRecord> {
  checkText("readFeedbackLog", "path", path);
  checkFunction("readFeedbackLog", "onNotice", onNotice);
  let line = 0;
  try {
    for await (const { bytes, ended } of linesOf(createReadStream(path))) {
      line += 1;
      const record = readLine(bytes, path, line, !ended);
      if (record) yield record;
      else onNotice(`${path}:${line}: left out a last line that is cut off (${bytes.length} bytes)`);
    }
  } catch (cause) {
    if (cause instanceof FeedbackLogError) throw cause;
    throw new FeedbackLogError(`cannot be read: ${(cause as Error).message}`, { file: path, cause });
  }
}

/** Lines, and whether they end in a newline, which the last one may lack. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<{ bytes: Buffer; ended: boolean }> {
  const rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      yield { bytes: Buffer.concat([...rest.splice(0), chunk.subarray(start, end)]), ended: true };
      start = end + 1;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
  if (rest.length > 0) yield { bytes: Buffer.concat(rest), ended: false };
}

/**
 * The record of a line. A line without its newline may be one that was cut off, which is what a killed write leaves behind:
 * then undefined. Anything else that is no record is damage, and an error.
 */
export function readLine(
  bytes: Uint8Array,
  file: string,
  line: number,
  mayBeCutOff: boolean,
): FeedbackRecord | undefined {
  if (mayBeCutOff && isCutOff(bytes)) return undefined;
  let text: string;
  try {
    // fatal: a damaged byte must be an error, and not silently become another character.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FeedbackLogError("not UTF-8 text", { file, line, cause });
  }
  return parseRecord(text, line, file);
}

/** Whether bytes are the beginning of a JSON object, and not all of it. After a crash of the machine zeros may follow. */
function isCutOff(bytes: Uint8Array): boolean {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length -= 1;
  if (length === 0) return true;
  let text: string;
  try {
    // stream: a character may be cut in the middle.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), {
      stream: true,
    });
  } catch {
    return false;
  }
  return isBeginningOfObject(text);
}

const STRING = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*`;
/** A token of JSON that nothing can be missing of: a number only if something follows. */
const whole = new RegExp(
  String.raw`[{}[\],:]|${STRING}"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[,\]}\s])|true|false|null|[ \t\r]+`,
  "y",
);
/** A string, number or word that ends too early. */
const begun = new RegExp(
  String.raw`^(?:${STRING}(?:\\(?:u[0-9a-fA-F]{0,3})?)?|-?(?:\d+(?:\.\d*)?|\d+(?:\.\d+)?[eE][+-]?\d*)?|t|tr|tru|f|fa|fal|fals|n|nu|nul)$`,
);

function isBeginningOfObject(text: string): boolean {
  const closing: string[] = [];
  let at = 0;
  whole.lastIndex = 0;
  for (let found = whole.exec(text); found; found = whole.exec(text)) {
    const [token] = found;
    if (token === "{" || token === "[") closing.unshift(token === "{" ? "}" : "]");
    if ((token === "}" || token === "]") && closing.shift() !== token) return false;
    at = whole.lastIndex;
  }
  // An object that is closed is all there, whatever is wrong with it.
  if (text[0] !== "{" || closing.length === 0 || !begun.test(text.slice(at))) return false;
  // What is there must be right: some end makes JSON of it.
  const ends = ["", "0", ":0", '"":0'];
  return ends.some((end) => isJson(text.slice(0, at) + end + closing.join("")));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
