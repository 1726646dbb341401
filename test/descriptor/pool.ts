import fc from "fast-check";
import { numbers } from "../agree.ts";
import { type Drawn, size } from "./index.ts";

/** Windows that overlap, touch or lie apart. */
export const drawPool = (): fc.Arbitrary<Drawn> =>
  fc
    .tuple(size(3), size(3), size(13), size(13), size(3), size(4))
    .filter(([, , H, W, kernelSize]) => H >= kernelSize && W >= kernelSize)
    .map(([N, C, H, W, kernelSize, stride]) => ({
      inputs: { x: numbers([N, C, H, W], 1) },
      options: { kernelSize, stride },
    }));
