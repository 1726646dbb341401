import type { FullConfig } from "../config.ts";
import type { ParameterStore } from "../layers.ts";
import type { FusionLayer, Part } from "./fusion.ts";
import { gatedFusion } from "./gated.ts";
import { lowRankFusion } from "./lowRank.ts";
import { sharesFusion } from "./shares.ts";

/** The fusion that a configuration asks for. */
export function fusionOf(store: ParameterStore, config: FullConfig, parts: readonly Part[]): FusionLayer {
  const { fusion, projection, rank } = config;
  if (fusion === "gated") return gatedFusion(store, parts, projection);
  if (fusion === "lowRank") return lowRankFusion(store, parts, projection, rank);
  return sharesFusion(store, fusion, parts, projection);
}
