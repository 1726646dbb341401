import { expectEngine } from "../autograd/engine.ts";
import type { Engine } from "../autograd/index.ts";
import { completeConfig, type MultimodalConfig, upgradedConfig } from "./config.ts";
import { expectNet, MultimodalNet } from "./multimodal.ts";
import { checkFinite, expectWeights, type NonFinite, type Weights, WeightsError } from "./safetensors.ts";

/*
 * A network in one file: its weights as safetensors, and its configuration as JSON among the metadata, under "config".
 */

/**
 * The metadata from which `modelFrom` builds a network again.
 *
 * @param net the network.
 * @returns its configuration as JSON, under "config".
 * @example const file = encodeSafetensors(await weightsOf(net, configMetadata(net)));
 */
export function configMetadata(net: MultimodalNet): Record<string, string> {
  expectNet("configMetadata", net);
  return { config: JSON.stringify(net.config) };
}

/**
 * Builds a network from weights with a configuration: in the browser after `decodeSafetensors`.
 *
 * @param engine where it is to live.
 * @param weights such as `decodeSafetensors` or `decodeOnnx` gives.
 * @param name of the file, for errors. Default "weights".
 * @param options.allowNonFinite Default false.
 * @returns the network.
 * @throws WeightsError where there is no configuration, it cannot be, or tensors are missing, too many, of other shapes,
 * or hold NaN or ±∞ that are not allowed.
 * @example const net = modelFrom(engine, decodeSafetensors(new Uint8Array(await response.arrayBuffer())));
 */
export function modelFrom(engine: Engine, weights: Weights, name = "weights", options: NonFinite = {}): MultimodalNet {
  expectEngine("modelFrom", engine);
  expectWeights("modelFrom", weights);
  const { tensors, metadata } = weights;
  const fail = (fault: string) => new WeightsError(`${name}: ${fault}`);
  if (metadata.config === undefined)
    throw fail('its metadata hold no "config", so the network is not known. Build it, and use loadSafetensors.');
  let config: unknown;
  try {
    config = JSON.parse(metadata.config);
  } catch {
    throw fail("its configuration is not JSON.");
  }
  if (typeof config !== "object" || config === null || Array.isArray(config))
    throw fail("its configuration is not an object.");
  config = upgradedConfig(config);
  checkFinite(name, weights, options);
  const used = new Set<string>();
  let net: MultimodalNet;
  try {
    completeConfig(config as MultimodalConfig);
  } catch (error) {
    throw fail(`its configuration cannot be: ${(error as Error).message}`);
  }
  try {
    // From the file's numbers at once: a configuration that is not of these tensors allocates nothing.
    const start = (key: string, shape: readonly number[]) => {
      const found = tensors.get(key);
      if (!found) throw fail(`there is no tensor "${key}", which its configuration asks for.`);
      if (String(found.shape) !== String(shape))
        throw fail(`tensor "${key}" is [${found.shape.join(", ")}], its configuration asks for [${shape.join(", ")}].`);
      used.add(key);
      return found.data;
    };
    net = new MultimodalNet(engine, { ...(config as MultimodalConfig), start });
  } catch (error) {
    throw error instanceof RangeError ? fail(`its configuration cannot be: ${error.message}`) : error;
  }
  const extra = [...tensors.keys()].find((key) => !used.has(key));
  if (extra === undefined) return net;
  for (const p of Object.values(net.parameters())) p.dispose();
  throw fail(`tensor "${extra}" is not of the network that its configuration describes.`);
}
