import { checkOptions, type Known } from "./check.ts";
import { createEngine as createOn, type Engine, type EngineOptions } from "./index.ts";
import { type AdapterOptions, openAdapter } from "./node/device.ts";
import { sleepUntil } from "./node/wait.ts";

export * from "./index.ts";
export { appendLine } from "./node/append-line.ts";
export { decodeImage } from "./node/decode-image.ts";
export { type AdapterOptions, openAdapter } from "./node/device.ts";
export { type FeedbackLogOptions, openFeedbackLog } from "./node/feedback-log.ts";
export { type Folder, type FolderEntry, type FolderExample, type FolderOptions, openFolder } from "./node/folder.ts";
export { LockedError, lock } from "./node/lock.ts";
export {
  folderStore,
  loadModel,
  loadSafetensors,
  saveModel,
  saveOnnx,
  saveSafetensors,
} from "./node/model-files.ts";
export { readFeedbackLog } from "./node/read-log.ts";
export { type Content, type ReplaceOptions, replaceFile, WriteError } from "./node/replace-file.ts";

/** Options of `createEngine` in Node: those of every engine, and how a device is found. */
export interface NodeEngineOptions extends EngineOptions, AdapterOptions {}
const engineOptions: Known<NodeEngineOptions> = {
  seed: true,
  adapter: true,
  tuning: true,
  wait: true,
  software: true,
};

/**
 * Opens a device in Node and makes an engine on it: a real GPU where there is one, else a software device, as
 * `openAdapter` says.
 *
 * @param options.seed of everything random that steps do. Default 0.
 * @param options.software take a software device in any case. Default false.
 * @returns the engine.
 * @throws Error that says what to install where there is no device; TypeError or RangeError naming the option that cannot be.
 * @example const engine = await createEngine({ seed: 1 });
 */
export async function createEngine(options: NodeEngineOptions = {}): Promise<Engine> {
  checkOptions("createEngine", options, engineOptions);
  const { software = false, ...rest } = options;
  return createOn({ wait: sleepUntil, ...rest, adapter: rest.adapter ?? (await openAdapter({ software })) });
}
