import { maximum, reshape, slice, type Tensor, where } from "../autograd/index.ts";

/** Column m of `present` [N, M], [N, 1]. */
export const columnOf = (present: Tensor, m: number): Tensor => slice(present, { axis: 1, start: m, end: m + 1 });

/** Whether an example has any of these modalities: `present` [N, M] → [N, 1]. */
export const any = (present: Tensor, modalities: readonly number[]): Tensor =>
  modalities.map((m) => columnOf(present, m)).reduce((one, other) => maximum(one, other));

/**
 * x [N, …], 0 where a mark [N, 1] is 0, whatever stands there; x itself without marks. It is selected, not multiplied: NaN in the
 * place of what is missing reaches no result, and through none of the layers behind it a gradient.
 */
export const onlyWhere = (marks: Tensor | undefined, x: Tensor): Tensor =>
  marks ? where(reshape(marks, [x.shape[0]!, ...x.shape.slice(1).map(() => 1)]), x, 0) : x;

/** x [N, …] of modality m, 0 in examples that lack it by `present` [N, M]. */
export const onlyPresent = (x: Tensor, present: Tensor | undefined, m: number): Tensor =>
  onlyWhere(present && columnOf(present, m), x);
