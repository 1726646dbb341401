import type * as hg from "handgrad";
import { reference, type Sizes, trainStep } from "./cases-network.ts";
import { measure, type Peak } from "./measure.ts";
import type { Row } from "./row.ts";

/* How the training step's time grows with what it has to do: one size moves, the others stay as in the reference. */

const sweeps = {
  batch: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  frames: [8, 16, 32, 64, 128, 256],
  hidden: [16, 32, 64, 128, 256, 512],
} satisfies Partial<Record<keyof Sizes, number[]>>;

export interface Point {
  readonly along: keyof typeof sweeps;
  readonly size: number;
  readonly row: Row;
}

export async function scaling(
  engine: hg.Engine,
  peak: Peak,
  repeats: number,
  each: (point: Point) => void,
): Promise<Point[]> {
  const points: Point[] = [];
  for (const along of Object.keys(sweeps) as (keyof typeof sweeps)[]) {
    for (const size of sweeps[along]) {
      const sizes = { ...reference, [along]: size };
      const { row } = await measure(engine, () => trainStep(engine, sizes), peak, { repeats });
      const point = { along, size, row };
      points.push(point);
      each(point);
    }
  }
  return points;
}
