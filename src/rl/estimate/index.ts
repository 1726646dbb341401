export { type DirectMethodOptions, directMethod } from "./directMethod.ts";
export { type DoublyRobustOptions, doublyRobust } from "./doublyRobust.ts";
export { type Estimate, effectiveSampleSize } from "./estimate.ts";
export { ips } from "./ips.ts";
export { type FitRewards, fitRewards, type RewardModel } from "./rewardModel.ts";
export { type LoggedAction, rowsOf } from "./rows.ts";
export { snips } from "./snips.ts";
