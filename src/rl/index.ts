export { activeJudgements, activePreferences, rewarded } from "./active.ts";
export {
  type Agreement,
  cohenKappa,
  fleissKappa,
  type Rating,
  ratingsOf,
  selfConsistency,
} from "./agreement.ts";
export {
  type Algorithm,
  type AlgorithmSettings,
  type AlgorithmState,
  algorithms,
  type BaselineName,
  type BaselineSettings,
  baselineNames,
  type GrpoSettings,
  type Identified,
  type ImportanceSettings,
  type Judged,
  type Labeled,
  type Method,
  type MethodRecord,
  methodRecord,
  methods,
  type Policy,
  type Pool,
  type PosteriorSettings,
  type PpoSettings,
  type Recurring,
  type ReinforceSettings,
  type ReplaySettings,
  type UpdateContext,
} from "./algorithms/index.ts";
export { optimisticArgmax } from "./algorithms/labelCounts.ts";
export type { Answer, PreferenceVerdict, Query, Verdict } from "./answers.ts";
export {
  type Choice,
  type ChooseOptions,
  choose,
  entropyOf,
  type Prediction,
  type Score,
  type ScoreName,
  scores,
} from "./ask/index.ts";
export { type BlindAccuracy, type BlindAccuracyOptions, blindAccuracy, type Interval, wilson } from "./blind.ts";
export { bradleyTerry } from "./bradleyTerry.ts";
export {
  type DirectMethodOptions,
  type DoublyRobustOptions,
  directMethod,
  doublyRobust,
  type Estimate,
  effectiveSampleSize,
  type FitRewards,
  fitRewards,
  ips,
  type LoggedAction,
  type RewardModel,
  rowsOf,
  snips,
} from "./estimate/index.ts";
export {
  type Attribution,
  type Bin,
  type Calibration,
  type CalibrationOptions,
  calibration,
  type IntegratedGradientsOptions,
  integratedGradients,
  modalityShares,
  type ShapleyValues,
  shapleyValues,
  sharesOf,
  wordShares,
} from "./explain/index.ts";
export {
  FeedbackLogError,
  type FeedbackRecord,
  type Judgement,
  type Preference,
  type Purpose,
  type Retraction,
  type RewardedJudgement,
} from "./judgement.ts";
export { type DistillOptions, Learner, learner, type PredictOptions, type Updated } from "./learner.ts";
export { learnFromRewards, type RewardedOptions } from "./learnFromRewards.ts";
export { type FeedbackLog, type LogStorage, logOver, memoryLog } from "./log.ts";
export { mcnemar } from "./mcnemar.ts";
export { type Conflict, type Merged, mergeLogs, type NamedLog } from "./merge.ts";
export { type SimulatedAnswer, type SimulatedPerson, type SimulatedPersonOptions, simulatedPerson } from "./people.ts";
export {
  type Compared,
  type EnsembleRewards,
  type PreferenceMember,
  PreferenceModel,
  type PreferenceModelOptions,
  type PreferenceStepOptions,
} from "./preferenceModel.ts";
export { checkRecord, parseRecord, type RecordPlace } from "./record.ts";
export { aggregateLabels, type Reliability, type ReliabilityOptions, reliability } from "./reliability.ts";
export type { LearnerOptions, LearnerSettings, LearnerState } from "./settings.ts";
