export {
  type Agreement,
  cohenKappa,
  fleissKappa,
  type Rating,
  ratingsOf,
  selfConsistency,
} from "./agreement.ts";
export type { Answer, Asking } from "./answers.ts";
export {
  type Choice,
  type ChooseOptions,
  choose,
  entropyOf,
  type Prediction,
  type ScoreName,
  scores,
} from "./ask/index.ts";
export { type BlindAccuracy, blindAccuracy, wilson } from "./blind.ts";
export {
  type DirectMethodOptions,
  type DoublyRobustOptions,
  directMethod,
  doublyRobust,
  type Estimate,
  effectiveSize,
  type FitRewards,
  fitRewards,
  ips,
  type RewardModel,
  type Row,
  rowsOf,
  snips,
} from "./estimate/index.ts";
export {
  type Attribution,
  type Bin,
  type Calibration,
  calibration,
  type IntegratedGradientsOptions,
  integratedGradients,
  modalityShares,
  type Shares,
  shapleyValues,
  sharesOf,
  wordShares,
} from "./explain/index.ts";
export {
  checkRecord,
  effective,
  FeedbackLogError,
  type FeedbackRecord,
  type Judgement,
  type Preference,
  type Purpose,
  parseRecord,
  preferences,
  type Retraction,
  rewarded,
} from "./judgement.ts";
export { Learner, learner, type Updated } from "./learner.ts";
export { type FeedbackLog, type LogStorage, logOver, memoryLog } from "./log.ts";
export { type Conflict, type Merged, mergeLogs, type NamedLog } from "./merge.ts";
export { type SimulatedAnswer, type SimulatedPerson, type SimulatedPersonOptions, simulatedPerson } from "./people.ts";
export {
  bradleyTerry,
  type Compared,
  learnFromRewards,
  PreferenceModel,
  type PreferenceModelOptions,
  type RewardedOptions,
} from "./preferenceModel.ts";
export { type Reliability, reconciled, reliability } from "./reliability.ts";

import type { FeedbackLog } from "./log.ts";

/** Opens a feedback log in a file (Node); it is made where there is none. In a browser use `memoryLog` or `logOver`. */
export async function feedbackLog(path: string): Promise<FeedbackLog> {
  const { openFeedbackLog } = await import("../node/feedback-log.ts");
  return openFeedbackLog(path);
}
export { likeliest } from "./rules/confirmed.ts";
export {
  type BaselineName,
  baselineNames,
  type Judged,
  type Lesson,
  type Method,
  methods,
  type Policy,
  type Pool,
  type Recurring,
  type Rule,
  type RuleSettings,
} from "./rules/index.ts";
export type { Example, LearnerOptions, LearnerSettings, LearnerState } from "./settings.ts";
