import type { HeldOut, TestResult } from "./held-out.ts";

/** What a run comes to: printed by `--json` and told in its report. */
export interface RunResult {
  adapter: string;
  parameters: number;
  labels: number;
  judgements: number;
  before: Record<HeldOut, { accuracy: number; ece: number }> | undefined;
  after: Record<HeldOut, TestResult>;
  stepMs: number;
  dispatchesPerStep: number;
  submitsPerStep: number;
  seconds: number;
  folder: string;
}
