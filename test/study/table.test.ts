import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { curves } from "../../study/curves.ts";
import { type Point, pointsOf, spreadOf, table } from "../../study/table.ts";

/* What the study makes of the runs that it started. */

const point = (seed: number, judgements: number, accuracy: number, method = "posterior"): Point => ({
  method,
  noise: 0.1,
  labels: 300,
  judgements,
  seed,
  accuracy,
});

test("the points of a run: its start, its looks and its end; looks written again after a resume count once", () => {
  const folder = mkdtempSync(join(tmpdir(), "handgrad-study-"));
  const metrics = [
    { kind: "validation", epoch: 40, accuracy: 0.4 },
    { kind: "validation", judgements: 40, accuracy: 0.6 },
    { kind: "learn", judgements: 40, reward: 0.5 },
    { kind: "validation", judgements: 40, accuracy: 0.61 },
    { kind: "validation", judgements: 80, accuracy: 0.69 },
  ];
  writeFileSync(join(folder, "metrics.jsonl"), metrics.map((m) => `${JSON.stringify(m)}\n`).join(""));
  writeFileSync(join(folder, "result.json"), JSON.stringify({ judgements: 80, accuracyStart: 0.5, accuracyEnd: 0.7 }));
  const { judgements: _, accuracy: __, ...run } = point(1, 0, 0);
  expect(pointsOf(folder, run).map(({ judgements, accuracy }) => [judgements, accuracy])).toEqual([
    [0, 0.5],
    [40, 0.61],
    [80, 0.7],
  ]);
  rmSync(folder, { recursive: true });
});

test("the table gives mean, spread and the number of seeds of the last point of each method", () => {
  const text = table([point(1, 40, 0.1), point(1, 80, 0.8), point(2, 80, 0.9), point(1, 80, 0.3, "reinforce")]);
  expect(text).toContain("| posterior | 10.0 % | 300 | 80 | 85.0 % ± 7.1 | 2 |");
  expect(text).toContain("| reinforce | 10.0 % | 300 | 80 | 30.0 % | 1 |");
  expect(text).not.toContain("| 40 |");
  expect(spreadOf([1])).toBeUndefined();
});

test("the curves are SVG with a line for each method", async () => {
  const svg = await curves([
    point(1, 0, 0.5),
    point(1, 80, 0.8),
    point(1, 0, 0.5, "reinforce"),
    point(1, 80, 0.6, "reinforce"),
  ]);
  expect(svg).toMatch(/^<svg/);
  for (const text of ["posterior", "reinforce", "300 labels, 10 % of judgements wrong"]) expect(svg).toContain(text);
});
