import { createInterface } from "node:readline";
import type { ReadStream } from "node:tty";
import { drawBar, drawImage, type Picture } from "./draw.ts";

export type Reply = "right" | "wrong" | "skip" | "undo" | "quit";

export interface Question {
  image: Picture;
  hint: string;
  action: number;
  /** How likely the network holds each digit; not shown where it is left out. */
  probabilities?: readonly number[];
  /** Plays the sound, where that is possible; gives a notice where it failed. */
  play?: () => Promise<string | undefined>;
}

interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
  color: boolean;
}

const replies: Readonly<Record<string, Reply>> = {
  y: "right",
  n: "wrong",
  s: "skip",
  u: "undo",
  q: "quit",
  "\x03": "quit",
  "\x04": "quit",
};

/** Shows an example and the network's answer, and waits for a key. The end of the input is taken as q. */
export async function askPerson(
  question: Question,
  { input, output, color }: Terminal = {
    input: process.stdin,
    output: process.stderr,
    color: process.stderr.isTTY && process.stderr.hasColors(),
  },
): Promise<Reply> {
  const { image, hint, action, probabilities = [], play } = question;
  const bars = probabilities.map((p, i) => `${barOf(p, i, action)}\n`).join("");
  output.write(`\n${drawImage(image, { color })}\n\nhint: ${hint || "(none)"}\n${bars}`);
  output.write(`is it a ${action}?  y right  n wrong  s skip  u undo${play ? "  p play" : ""}  q quit\n`);
  for (;;) {
    const key = await nextKey(input);
    if (key === undefined) return "quit";
    const reply = Object.hasOwn(replies, key) ? replies[key] : undefined;
    if (reply) return reply;
    if (key === "p" && play) {
      const notice = await play();
      if (notice) output.write(`${notice}\n`);
    } else if (key === "p") output.write("there is no program to play sound with (aplay, paplay, afplay, ffplay …)\n");
  }
}

/** A line that says how likely a digit is held; the answer is pointed at. */
export const barOf = (p: number, digit: number, answer: number): string =>
  `${digit === answer ? ">" : " "} ${digit}  ${drawBar(p, 24)} ${(100 * p).toFixed(0)} %`;

/** Lines that arrived before anyone asked for them, when the input is not a terminal. */
const waiting = new WeakMap<NodeJS.ReadableStream, AsyncIterator<string>>();

/** One key press, or the first letter of a line where the input is no terminal; undefined at its end. */
async function nextKey(input: NodeJS.ReadableStream): Promise<string | undefined> {
  const terminal = input as Partial<ReadStream>;
  if (!terminal.isTTY || !terminal.setRawMode) {
    let lines = waiting.get(input);
    if (!lines) {
      lines = createInterface({ input })[Symbol.asyncIterator]();
      waiting.set(input, lines);
    }
    const { value, done } = await lines.next();
    return done ? undefined : value.trim().slice(0, 1).toLowerCase();
  }
  terminal.setRawMode(true);
  input.resume();
  try {
    return await new Promise<string | undefined>((resolve) => {
      const leave = (key: string | undefined) => {
        input.off("data", onData);
        input.off("end", onEnd);
        resolve(key);
      };
      const onData = (bytes: Buffer | string) => leave(bytes.toString().slice(0, 1).toLowerCase());
      const onEnd = () => leave(undefined);
      input.on("data", onData);
      input.on("end", onEnd);
    });
  } finally {
    terminal.setRawMode(false);
    input.pause();
  }
}
