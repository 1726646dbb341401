import { add, mul, reshape, sum, type Tensor } from "../../autograd/index.ts";
import { ones, uniformByFan, zeros } from "../initialize.ts";
import { linearLayer, type ParameterStore } from "../layers.ts";
import { onlyPresent } from "../present.ts";
import type { FusionLayer, Part } from "./fusion.ts";

/**
 * Low-rank tensor fusion (Liu et al. 2018): a linear map of the outer product of all [x_m, 1], whose tensor of weights is
 * a sum of R products of matrices, so that the outer product is never formed:
 *   y [N, D] = Σ_r v_r ∏_m (W_m,r x_m + b_m,r) + c
 * A modality that is not there is x_m = 0: its factor is b_m,r. These begin as 1, so that at first each modality speaks
 * for itself as well, and one that is missing changes nothing; products of small factors alone would hardly learn.
 */
export function lowRankFusion(store: ParameterStore, parts: readonly Part[], D: number, R: number): FusionLayer {
  const factors = parts.map(({ name, size }) =>
    linearLayer(store, `fusion.${name}`, { inputs: size, outputs: R * D, bias: ones }),
  );
  const v = store.make("fusion.weights", [R], uniformByFan(R));
  const c = store.make("fusion.bias", [D], zeros);
  return {
    size: D,
    join(features, present) {
      const product = features
        .map((x, m) => factors[m]!(onlyPresent(x, present, m)))
        .reduce((a: Tensor, b: Tensor) => mul(a, b));
      const terms = reshape(product, [product.shape[0]!, R, D]);
      return add(sum(mul(terms, reshape(v, [R, 1])), { axis: 1 }), c);
    },
  };
}
