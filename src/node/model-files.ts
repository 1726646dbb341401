import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expectEngine } from "../autograd/engine.ts";
import type { Engine } from "../autograd/index.ts";
import { checkMetadata, checkText } from "../check.ts";
import {
  configMetadata,
  decodeSafetensors,
  encodeSafetensors,
  type Module,
  type MultimodalNet,
  modelFrom,
  type NonFinite,
  onnxOf,
  type Store,
  setWeights,
  weightsOf,
} from "../model/index.ts";
import { tensorsOf } from "../model/layers.ts";
import { expectNet } from "../model/multimodal.ts";
import { replaceFile } from "./replace-file.ts";

/*
 * Models in files. Each file is replaced in one go: whoever is stopped in the middle leaves the old one.
 */

/**
 * Writes a network's weights to a file, which is replaced atomically: a killed process leaves the old one.
 *
 * @param module the network.
 * @param path of the file.
 * @param metadata texts by name. Default: none.
 * @param options.allowNonFinite Default false.
 * @returns when the file is on the disk.
 * @throws WeightsError naming a tensor that holds NaN or ±∞, unless they are allowed.
 * @example await saveSafetensors(net, "net.safetensors");
 */
export async function saveSafetensors(
  module: Module,
  path: string,
  metadata: Record<string, string> = {},
  options: NonFinite = {},
): Promise<void> {
  tensorsOf("saveSafetensors", module);
  checkText("saveSafetensors", "path", path);
  checkMetadata("saveSafetensors", metadata);
  await replaceFile(path, encodeSafetensors(await weightsOf(module, metadata), options));
}

/**
 * Reads a file of weights into a network of the same names and shapes.
 *
 * @param module the network.
 * @param path of the file.
 * @param options.allowNonFinite Default false.
 * @returns the file's metadata.
 * @throws WeightsError where the file is damaged, or as `checkWeights`.
 * @example await loadSafetensors(net, "net.safetensors");
 */
export async function loadSafetensors(
  module: Module,
  path: string,
  options: NonFinite = {},
): Promise<Readonly<Record<string, string>>> {
  tensorsOf("loadSafetensors", module);
  checkText("loadSafetensors", "path", path);
  const weights = decodeSafetensors(await readFile(path), path);
  setWeights(module, weights, path, options);
  return weights.metadata;
}

/**
 * Writes a network, weights and configuration, to a file, which is replaced atomically.
 *
 * @param net the network.
 * @param path of the file.
 * @param metadata more texts by name. Default: none.
 * @param options.allowNonFinite Default false.
 * @returns when the file is on the disk.
 * @throws WeightsError naming a tensor that holds NaN or ±∞, unless they are allowed.
 * @example await saveModel(net, "net.safetensors");
 */
export async function saveModel(
  net: MultimodalNet,
  path: string,
  metadata: Record<string, string> = {},
  options: NonFinite = {},
): Promise<void> {
  expectNet("saveModel", net);
  checkText("saveModel", "path", path);
  checkMetadata("saveModel", metadata);
  await saveSafetensors(net, path, { ...metadata, ...configMetadata(net) }, options);
}

/**
 * Builds the network of a file that `saveModel` wrote.
 *
 * @param engine where it is to live.
 * @param path of the file.
 * @param options.allowNonFinite Default false.
 * @returns the network.
 * @throws WeightsError where the file holds no network.
 * @example const net = await loadModel(engine, "net.safetensors");
 */
export async function loadModel(engine: Engine, path: string, options: NonFinite = {}): Promise<MultimodalNet> {
  expectEngine("loadModel", engine);
  checkText("loadModel", "path", path);
  return modelFrom(engine, decodeSafetensors(await readFile(path), path), path, options);
}

/**
 * Writes a network as an ONNX file, which is replaced atomically.
 *
 * @param net to export.
 * @param path of the file.
 * @returns when the file is on the disk.
 * @throws TypeError as `onnxOf`.
 * @example await saveOnnx(net, "net.onnx");
 */
export async function saveOnnx(net: MultimodalNet, path: string): Promise<void> {
  expectNet("saveOnnx", net);
  checkText("saveOnnx", "path", path);
  await replaceFile(path, await onnxOf(net));
}

/**
 * Keeps a run's files in a folder, created with the first file.
 *
 * @param path of the folder.
 * @returns the store; files are replaced atomically.
 * @example await fit(net, trainSet, { optimizer, epochs: 10, checkpoint: folderStore("run") });
 */
export function folderStore(path: string): Store {
  checkText("folderStore", "path", path);
  return {
    async read(name) {
      checkText("folderStore.read", "name", name);
      try {
        return await readFile(join(path, name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(name, content) {
      checkText("folderStore.write", "name", name);
      await mkdir(path, { recursive: true });
      await replaceFile(join(path, name), content);
    },
  };
}
