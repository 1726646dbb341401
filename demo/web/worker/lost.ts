import type { Engine } from "handgrad";

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether an engine's device is lost. An error that comes of the loss, and the news of it, come at about the same time. */
export const isLost = (engine: Engine, within = 1000): Promise<boolean> =>
  Promise.race([engine.lost.then(() => true), sleep(within).then(() => false)]);
