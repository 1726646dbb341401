import { checkNumber, type Known, number } from "../check.ts";

/** Which axis a function works along. */
export interface AxisOptions {
  /** Negative ones count from the end. Default 0; the last one for softmax and logSoftmax. */
  axis?: number;
}
export const axisOptions: Known<AxisOptions> = { axis: true };

/** The axis asked for, 0 unless given. */
export function axisOf(name: string, { axis = 0 }: AxisOptions): number {
  checkNumber(name, "axis", axis, number.whole);
  return axis;
}
