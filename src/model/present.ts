import { reshape, slice, type Tensor, where } from "../autograd/index.ts";

/**
 * x [N, …] of modality m, 0 in examples that lack it by `present` [N, M], whatever stands there. It is selected, not
 * multiplied: NaN in the place of what is missing reaches no result, and through none of the layers behind it a gradient.
 */
export function onlyPresent(x: Tensor, present: Tensor | undefined, m: number): Tensor {
  if (!present) return x;
  const column = slice(present, { axis: 1, start: m, end: m + 1 });
  return where(reshape(column, [x.shape[0]!, ...x.shape.slice(1).map(() => 1)]), x, 0);
}
