import type { Tensor } from "../../autograd/index.ts";
import type { Modality } from "../encoder/index.ts";

/** Makes one feature vector of those of M modalities, of which an example may lack some. */
export interface FusionLayer {
  readonly size: number;
  /** features [N, D_m] each; present [N, M] of 0 and 1. Default: all are there. Gives [N, size]. */
  join(features: readonly Tensor[], present: Tensor | undefined): Tensor;
}

/** A modality and the size of its features. */
export interface Part {
  readonly name: Modality;
  readonly size: number;
}
