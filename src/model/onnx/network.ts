import type { Batch } from "../batch.ts";
import type { MultimodalNet } from "../multimodal.ts";
import { configMetadata } from "../saved.ts";
import { encodeOnnx, type OnnxInput } from "./encode.ts";

/**
 * Exports a network as an ONNX file. Inputs as in a `Batch`, of any N and T (and L, where the text encoder is the mean):
 * image, words (i32), audio, frames (i32), present; those of modalities that it reads. Outputs: logits and prediction, [N, A].
 * The file also holds the configuration, so that `decodeOnnx` and `modelFrom` build the network again.
 *
 * @param net to export.
 * @returns the bytes of the file.
 * @throws TypeError where the text encoder is a GRU and `tokens` of the configuration does not give L.
 * @example const file = await onnxOf(net);
 */
export function onnxOf(net: MultimodalNet): Promise<Uint8Array<ArrayBuffer>> {
  const { image, audio, text, tokens } = net.config;
  const takes = (m: (typeof net.modalities)[number]) => net.modalities.includes(m);
  if (takes("text") && text === "gru" && tokens === undefined)
    throw new TypeError("onnxOf: the text encoder is a GRU. Give `tokens`, the words of a text, in its configuration.");
  const inputs: Record<string, OnnxInput> = {
    ...(takes("image") ? { image: { shape: ["N", ...image!] } } : {}),
    ...(takes("text") ? { words: { shape: ["N", text === "mean" ? "L" : tokens!], dtype: "i32" } } : {}),
    ...(takes("audio") ? { audio: { shape: ["N", "T", audio!] }, frames: { shape: ["N"], dtype: "i32" } } : {}),
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
