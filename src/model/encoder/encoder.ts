import type { Tensor } from "../../autograd/index.ts";
import type { Batch } from "../batch.ts";

/** Turns one modality of N examples into features [N, size]. */
export interface Encoder {
  readonly size: number;
  encode(batch: Batch, N: number): Tensor;
}
