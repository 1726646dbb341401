import type { Cases } from "./case.ts";
import { matrixCases } from "./cases-matrix.ts";
import { networkCases } from "./cases-network.ts";
import { rowCases } from "./cases-rows.ts";
import { sequenceCases } from "./cases-sequence.ts";

/** All that `npm run bench` measures, in Node and in the browser. */
export const casesOf: Cases = (engine) =>
  [networkCases, matrixCases, sequenceCases, rowCases].flatMap((cases) => cases(engine));
