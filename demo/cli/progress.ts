import { Presets, SingleBar } from "cli-progress";

/*
 * What the program says goes to standard error, so that standard output holds results alone. On a terminal progress is
 * a bar with speed and time left; elsewhere it is a line now and then.
 */

const out = process.stderr;
/** Milliseconds between two lines where there is no terminal. */
const QUIET = 10_000;

// Who reads may go away (a closed pipe, a full disk); the work goes on, as nobody is told of it any more.
out.on("error", () => {});
// A result that nobody could be given is a failure.
process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
  if (code !== "EPIPE") say(`handgrad: the result was not written: ${message}`);
  process.exitCode = 1;
});

let current: SingleBar | undefined;

/** Ends a bar that was left before it was full: its clock would keep the program, and its terminal would have no cursor. */
export function endProgress(): void {
  current?.stop();
  current = undefined;
}
process.on("exit", endProgress);

/** A line of text, above a bar if there is one. */
export function say(line: string): void {
  // The bar is drawn again below the line at its next step.
  if (current && out.isTTY) out.write("\r\x1b[K");
  out.write(`${line}\n`);
}

export interface ProgressBar {
  at(n: number, note?: string): void;
  done(): void;
}

export function progress(label: string, total: number, { unit }: { unit: string }): ProgressBar {
  return out.isTTY ? bar(label, total, unit) : lines(label, total, unit);
}

function bar(label: string, total: number, unit: string): ProgressBar {
  const format = `${label} {bar} {value}/{total} ${unit}  {rate}/s  {eta_formatted} left  {note}`;
  const own = new SingleBar({ format, hideCursor: true, etaBuffer: 50, stream: out }, Presets.rect);
  const start = performance.now();
  own.start(total, 0, { rate: "…", note: "" });
  current = own;
  let first: number | undefined;
  return {
    at(n, note = "") {
      first ??= n;
      const rate = ((n - first) / (performance.now() - start)) * 1000;
      own.update(n, { rate: rate.toFixed(rate < 10 ? 1 : 0), note });
    },
    done() {
      own.stop();
      current = undefined;
    },
  };
}

function lines(label: string, total: number, unit: string): ProgressBar {
  const start = performance.now();
  let first: number | undefined;
  let said = start;
  let last = { n: 0, note: "" };
  const line = () => {
    const seconds = (performance.now() - start) / 1000;
    const rate = (last.n - (first ?? 0)) / seconds;
    const left = rate > 0 && last.n < total ? `, ${Math.round((total - last.n) / rate)} s left` : "";
    say(`${label}: ${last.n} of ${total} ${unit}, ${Math.round(seconds)} s${left}${last.note ? `, ${last.note}` : ""}`);
  };
  return {
    at(n, note = "") {
      first ??= n;
      last = { n, note };
      if (performance.now() - said < QUIET) return;
      said = performance.now();
      line();
    },
    done: line,
  };
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
