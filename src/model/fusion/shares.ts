import { fuse, type Tensor } from "../../autograd/index.ts";
import type { FuseKind } from "../../kernels/fuse.ts";
import { zeros } from "../initialize.ts";
import { linearLayer, type ParameterStore } from "../layers.ts";
import { onlyPresent } from "../present.ts";
import type { FusionLayer, Part } from "./fusion.ts";

/**
 * Features side by side, or the mean of their projections with equal or learned shares among the modalities that are
 * there; equations in `kernels/fuse.ts`.
 */
export function sharesFusion(
  store: ParameterStore,
  fusion: FuseKind,
  parts: readonly Part[],
  dim: number,
): FusionLayer {
  if (fusion === "concat")
    return {
      size: parts.reduce((sum, { size }) => sum + size, 0),
      join: (features, present) => fuse(features, fusion, { present }),
    };
  const projections = parts.map(({ name, size }) =>
    linearLayer(store, `fusion.${name}`, { inputs: size, outputs: dim }),
  );
  const weights: Tensor | undefined =
    fusion === "weighted" ? store.make("fusion.weights", [parts.length], zeros) : undefined;
  return {
    size: dim,
    join: (features, present) =>
      fuse(
        features.map((x, m) => projections[m]!(onlyPresent(x, present, m))),
        fusion,
        { present, weights },
      ),
  };
}
