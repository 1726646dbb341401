import {
  type Array64,
  array,
  averageFusion,
  concatFusion,
  conv2d,
  crossEntropy,
  gru,
  linear,
  maxPool2d,
  meanEmbedding,
  reshape,
  weightedFusion,
} from "./index.ts";
import { type batch, weights } from "./network-inputs.ts";

export type Fusion = "concat" | "average" | "weighted";

/** The shapes of the reference network's parameters, in the order that numbers their weights' streams. */
function parameterShapes(fusion: Fusion): Record<string, number[]> {
  const sizes = { image: 32 * 49, text: 32, audio: 64 };
  const projected = Object.entries(sizes).flatMap(([name, size]) => [
    [`fusion.${name}.weight`, [64, size]],
    [`fusion.${name}.bias`, [64]],
  ]);
  return {
    "image.conv1.weight": [16, 1, 3, 3],
    "image.conv1.bias": [16],
    "image.conv2.weight": [32, 16, 3, 3],
    "image.conv2.bias": [32],
    "text.embedding.weight": [58, 32],
    "audio.gru.weight_ih_l0": [192, 32],
    "audio.gru.weight_hh_l0": [192, 64],
    "audio.gru.bias_ih_l0": [192],
    "audio.gru.bias_hh_l0": [192],
    ...(fusion === "concat" ? {} : Object.fromEntries(projected)),
    ...(fusion === "weighted" ? { "fusion.weights": [3] } : {}),
    "head.hidden.weight": [128, fusion === "concat" ? 1664 : 64],
    "head.hidden.bias": [128],
    "head.output.weight": [10, 128],
    "head.output.bias": [10],
  };
}

/** The reference network by plain loops: two convolutions, a bag of words, a GRU; fused; two linear layers. */
export function networkLogits(fusion: Fusion, b: ReturnType<typeof batch>): { logits: Array64; loss: number } {
  const shapes = Object.entries(parameterShapes(fusion));
  const parameters = new Map(shapes.map(([name, shape], i) => [name, array(shape, weights(i, shape))]));
  const p = (name: string): Array64 => parameters.get(name)!;
  const dense = (x: Array64, name: string, activation: "none" | "relu" = "none"): Array64 =>
    linear(x, p(`${name}.weight`), p(`${name}.bias`), { activation });
  const stage = (x: Array64, name: string): Array64 =>
    maxPool2d(conv2d(x, p(`${name}.weight`), p(`${name}.bias`), { padding: 1, activation: "relu" }), { kernelSize: 2 });

  const image = stage(stage(array([8, 1, 28, 28], b.image), "image.conv1"), "image.conv2");
  const { hidden: audio } = gru({
    x: array([8, 50, 32], b.audio),
    weightIh: p("audio.gru.weight_ih_l0"),
    weightHh: p("audio.gru.weight_hh_l0"),
    biasIh: p("audio.gru.bias_ih_l0"),
    biasHh: p("audio.gru.bias_hh_l0"),
    lengths: array([8], b.frames),
  });
  const features = {
    image: reshape(image, { shape: [8, -1] }),
    text: meanEmbedding(array([8, 8], b.words), p("text.embedding.weight")),
    audio,
  };
  const present = array([8, 3], b.present);
  const projected = () => Object.entries(features).map(([name, x]) => dense(x, `fusion.${name}`));
  const fused = {
    concat: () => concatFusion(Object.values(features), present),
    average: () => averageFusion(projected(), present),
    weighted: () => weightedFusion(projected(), p("fusion.weights"), present),
  }[fusion]();
  const logits = dense(dense(fused, "head.hidden", "relu"), "head.output");
  return { logits, loss: crossEntropy(logits, array([8], b.label)).data[0]! };
}
