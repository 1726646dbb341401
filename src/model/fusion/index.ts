import { checkList, checkName, checkNumber, checkOptions, number } from "../../check.ts";
import type { FuseKind } from "../../kernels/fuse.ts";
import type { Modality } from "../encoder/index.ts";
import type { ParameterStore } from "../layers.ts";
import type { FusionLayer, Part } from "./fusion.ts";
import { gatedFusion } from "./gated.ts";
import { lowRankFusion } from "./lowRank.ts";
import { sharesFusion } from "./shares.ts";

/** The fusions by name, the default first. */
export const fusions = ["concat", "average", "weighted", "gated", "lowRank"] as const;
/**
 * How the modalities' features become one vector: concatenation, an average with equal, learned or example-dependent (gated)
 * weights, or low-rank products.
 */
export type Fusion = FuseKind | "gated" | "lowRank";

/** How the features of all modalities become one vector. */
export interface FusionConfig {
  /** Default "concat". */
  kind?: Fusion;
  /** Size of the fused features, to which every fusion but concatenation projects. Default 64. */
  dim?: number;
  /** Number of products that low-rank fusion adds up. Default 4. */
  rank?: number;
  /**
   * Modalities that are not fused with the others but have a head of their own, whose logits are added to theirs: late fusion, as a
   * product of experts (Hinton 2002), which is right where what they say is independent given the answer. At least one other
   * modality is fused. Default: none.
   */
  late?: readonly Modality[];
}

/** Fills in the defaults. @throws TypeError or RangeError naming the setting that cannot be, or that there is not. */
export function completeFusion(
  operation: string,
  config: FusionConfig = {},
  modalities: readonly Modality[],
): Required<FusionConfig> {
  checkOptions(`${operation}: fusion`, config, { kind: true, dim: true, rank: true, late: true });
  const { kind = "concat", dim = 64, rank = 4, late = [] } = config;
  checkName(operation, "fusion.kind", kind, fusions);
  checkNumber(operation, "fusion.dim", dim, number.wholeAtLeast1);
  checkNumber(operation, "fusion.rank", rank, number.wholeAtLeast1);
  checkList(operation, "fusion.late", late, "a list of modalities");
  for (const [i, m] of late.entries()) checkName(operation, `fusion.late[${i}]`, m, modalities);
  if (new Set(late).size < late.length || late.length >= modalities.length)
    throw new RangeError(
      `${operation}: fusion.late is [${late}], expected each once, and at least one of ${modalities.join(", ")} left to be fused.`,
    );
  return { kind, dim, rank, late };
}

/** The fusion that a configuration asks for. */
export function createFusion(
  store: ParameterStore,
  { kind, dim, rank }: Required<FusionConfig>,
  parts: readonly Part[],
): FusionLayer {
  if (kind === "gated") return gatedFusion(store, parts, dim);
  if (kind === "lowRank") return lowRankFusion(store, parts, dim, rank);
  return sharesFusion(store, kind, parts, dim);
}
