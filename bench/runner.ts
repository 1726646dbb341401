import type * as hg from "handgrad";
import { casesOf } from "./cases.ts";
import { trainStep } from "./cases-network.ts";
import { measure, type Peak, roofline } from "./measure.ts";
import type { Row } from "./row.ts";
import { type Point, scaling } from "./scaling.ts";

/** Where cases are measured: this process, or a page. */
export interface Runner {
  readonly adapter: string;
  readonly peak: Peak;
  /** How many cases there are. */
  readonly count: number;
  /** Undefined where the case's op is not wanted. */
  measure(
    index: number,
    options: { only: string; repeats: number; tune: boolean },
  ): Promise<{ row: Row; host: number } | undefined>;
  scaling(repeats: number, each: (point: Point) => void): Promise<Point[]>;
  /** A replayed training step, by kernel. */
  profile(): Promise<{ table: string; trace: string }>;
  close(): Promise<void>;
}

export async function runnerOf(engine: hg.Engine): Promise<Runner> {
  const peak = await roofline(engine);
  const makers = casesOf(engine);
  return {
    adapter: engine.adapter,
    peak,
    count: makers.length,
    async measure(index, { only, ...options }) {
      // A case's name is known when it is made; making one uploads its inputs, no more.
      const one = makers[index]!();
      return one.op.includes(only) ? measure(engine, () => one, peak, options) : undefined;
    },
    scaling: (repeats, each) => scaling(engine, peak, repeats, each),
    async profile() {
      const { record } = trainStep(engine);
      for (let i = 0; i < 3; i++) await engine.step(record);
      const profile = await engine.profile(() => engine.step(record));
      return { table: String(profile), trace: profile.trace() };
    },
    close: async () => engine.destroy(),
  };
}
