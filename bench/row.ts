/** One line of `--json`. Times are of one run, in milliseconds; null where nothing was measured, or says nothing. */
export interface Row {
  engine: string;
  op: string;
  shape: string;
  msMedian: number | null;
  msMin: number | null;
  gflops: number | null;
  gbs: number | null;
  /** Of the most that this device can do at this ratio of arithmetic to memory, measured in the same run. */
  rooflineShare: number | null;
  /** Of one run. */
  dispatches: number;
  /** Of one step, which holds K runs. */
  submits: number;
  buffers: number;
  adapter: string;
  error?: string;
}

/** A row without figures. */
export function emptyRow(adapter: string, { op, shape }: Pick<Row, "op" | "shape">): Row {
  return {
    engine: "handgrad",
    op,
    shape,
    msMedian: null,
    msMin: null,
    gflops: null,
    gbs: null,
    rooflineShare: null,
    dispatches: 0,
    submits: 0,
    buffers: 0,
    adapter,
  };
}
