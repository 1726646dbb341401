export { type Bin, type Calibration, type CalibrationOptions, calibration } from "./calibration.ts";
export { type Attribution, type IntegratedGradientsOptions, integratedGradients } from "./integratedGradients.ts";
export { modalityShares, type ShapleyValues, shapleyValues, sharesOf, wordShares } from "./shapley.ts";
