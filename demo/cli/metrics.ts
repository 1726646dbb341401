import { readFile } from "./read-file.ts";

/** One line of metrics.jsonl. */
export type Metric =
  | { kind: "train"; epoch: number; loss: number }
  | { kind: "validation"; epoch?: number; judgements?: number; loss: number; accuracy: number }
  | { kind: "learn"; judgements: number; reward: number; entropy: number; kl: number; loss: number };

/**
 * All metrics of a file; of lines written again after a resume, the later ones count. A line that is none, such as one that
 * a killed process left, is left out with a notice: the resumed run has written it again.
 */
export function readMetrics(path: string, notice: (text: string) => void = () => {}): Metric[] {
  const byPlace = new Map<string, Metric>();
  for (const [i, line] of readFile(path).toString("utf8").split("\n").entries()) {
    if (line === "") continue;
    const metric = metricOf(line);
    if (metric) byPlace.set(placeOf(metric), metric);
    else notice(`${path}:${i + 1}: left out a line that is cut off or damaged`);
  }
  return [...byPlace.values()];
}

const placeOf = (metric: Metric): string =>
  `${metric.kind} ${"epoch" in metric ? metric.epoch : ""} ${"judgements" in metric ? metric.judgements : ""}`;

function metricOf(line: string): Metric | undefined {
  try {
    const found = JSON.parse(line) as Metric | null;
    return typeof found?.kind === "string" ? found : undefined;
  } catch {
    return undefined;
  }
}
