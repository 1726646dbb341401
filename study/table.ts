import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readMetrics } from "../demo/cli/metrics.ts";

/** One figure: accuracy on unseen speakers after so many judgements. */
export interface Point {
  method: string;
  noise: number;
  labels: number;
  judgements: number;
  seed: number;
  accuracy: number;
}

/** The points of a finished run: before any judgement, while it learned, and in the end. */
export function pointsOf(folder: string, run: Omit<Point, "judgements" | "accuracy">): Point[] {
  const result = JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
  const byJudgements = new Map<number, number>([[0, result.accuracyStart]]);
  for (const metric of readMetrics(join(folder, "metrics.jsonl")))
    if (metric.kind === "validation" && metric.judgements) byJudgements.set(metric.judgements, metric.accuracy);
  byJudgements.set(result.judgements, result.accuracyEnd);
  return [...byJudgements]
    .sort(([a], [b]) => a - b)
    .map(([judgements, accuracy]) => ({ ...run, judgements, accuracy }));
}

export const meanOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

/** The deviation of a sample; undefined of a single number. */
export function spreadOf(numbers: readonly number[]): number | undefined {
  if (numbers.length < 2) return undefined;
  const mean = meanOf(numbers);
  return Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (numbers.length - 1));
}

/** Points that differ in nothing but their seed. */
export function grouped(points: readonly Point[]): Map<string, Point[]> {
  const groups = new Map<string, Point[]>();
  for (const point of points) {
    const key = JSON.stringify([point.method, point.noise, point.labels, point.judgements]);
    groups.set(key, [...(groups.get(key) ?? []), point]);
  }
  return groups;
}

/** A line for each method, share of mistakes and start: the last point of its runs, in Markdown. */
export function table(points: readonly Point[]): string {
  const last = new Map<string, Point[]>();
  for (const group of grouped(points).values()) {
    const { method, noise, labels, judgements } = group[0]!;
    const key = JSON.stringify([method, noise, labels]);
    if ((last.get(key)?.[0]?.judgements ?? -1) < judgements) last.set(key, group);
  }
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  const lines = [...last.values()].map((group) => {
    const { method, noise, labels, judgements } = group[0]!;
    const accuracies = group.map(({ accuracy }) => accuracy);
    const spread = spreadOf(accuracies);
    const figure = `${percent(meanOf(accuracies))}${spread === undefined ? "" : ` ± ${(100 * spread).toFixed(1)}`}`;
    return `| ${method} | ${percent(noise)} | ${labels} | ${judgements} | ${figure} | ${accuracies.length} |`;
  });
  return [
    "| method | judgements that are wrong | labels | judgements | unseen speakers | seeds |",
    "|---|---|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}
