import type { Batch } from "../batch.ts";
import { expectNet, type MultimodalNet } from "../multimodal.ts";
import { configMetadata } from "../saved.ts";
import { encodeOnnx, type OnnxInput } from "./encode.ts";

/**
 * Exports a network as an ONNX file. Inputs as in a `Batch`, of any N and T (and L, where the text encoder is the mean):
 * image, words (i32), audio, frames (i32), present; those of modalities that it reads. Outputs: logits and prediction, [N, A].
 * The file also holds the configuration, so that `decodeOnnx` and `modelFrom` build the network again.
 *
 * @param net to export.
 * @returns the bytes of the file.
 * @throws TypeError where the text encoder is a GRU and `text.length` of the configuration does not give L.
 * @example const file = await onnxOf(net);
 */
export async function onnxOf(net: MultimodalNet): Promise<Uint8Array<ArrayBuffer>> {
  expectNet("onnxOf", net);
  const inputs: Record<string, OnnxInput> = {
    ...Object.fromEntries(
      Object.entries(net.fields).map(([name, { exportedShape, dtype }]) => [name, { shape: exportedShape(), dtype }]),
    ),
    present: { shape: ["N", net.modalities.length] },
  };
  return encodeOnnx(net.engine, {
    name: "MultimodalNet",
    inputs,
    parameters: net.parameters(),
    compute(batch) {
      const logits = net.forward(batch as Batch);
      return { logits, prediction: net.predict(logits) };
    },
    metadata: configMetadata(net),
  });
}
