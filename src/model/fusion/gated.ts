import { fuse, mul, reshape, sigmoid, sum } from "../../autograd/index.ts";
import { linearLayer, type ParameterStore } from "../layers.ts";
import { onlyPresent } from "../present.ts";
import type { FusionLayer, Part } from "./fusion.ts";

/**
 * Each modality's features count as far as a gate, which sees all of them, lets them through (the gated multimodal unit
 * of Arevalo et al. 2017, for M modalities):
 *   h_m = tanh(W_m x_m + b_m),   z_m = σ(V_m [x_1, …, x_M] + c_m),   y [N, D] = Σ z_m ∘ h_m
 * A modality that is not there is x_m = 0 to the gates, and its h_m is left out of the sum.
 */
export function gatedFusion(store: ParameterStore, parts: readonly Part[], D: number): FusionLayer {
  const M = parts.length;
  const projections = parts.map(({ name, size }) =>
    linearLayer(store, `fusion.${name}`, { inputs: size, outputs: D, activation: "tanh" }),
  );
  const all = parts.reduce((n, { size }) => n + size, 0);
  const gate = linearLayer(store, "fusion.gate", { inputs: all, outputs: M * D });
  return {
    size: D,
    join(features, present) {
      const there = features.map((x, m) => onlyPresent(x, present, m));
      const h = fuse(
        there.map((x, m) => projections[m]!(x)),
        "concat",
        { present },
      );
      const z = sigmoid(gate(fuse(there, "concat")));
      return sum(reshape(mul(z, h), [h.shape[0]!, M, D]), { axis: 1 });
    },
  };
}
