export { type Choice, type ChooseOptions, choose, inclusion } from "./choose.ts";
export { entropyOf, type Prediction, type Score, type ScoreName, scores } from "./scores.ts";
