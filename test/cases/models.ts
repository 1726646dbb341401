import type { Engine } from "../../src/index.ts";
import { type MultimodalConfig, MultimodalNet } from "../../src/model/index.ts";
import fixture from "../fixtures/models.json" with { type: "json" };
import { type Case, expectClose, expectEqual } from "../harness.ts";
import { hashed, weights } from "../reference/network-inputs.ts";

/* Small networks of every encoder, fusion and head against PyTorch: logits, predictions, loss, every gradient. */

interface Brief {
  norm: number;
  at: number[];
  values: number[];
}
export interface Model {
  config: MultimodalConfig;
  shapes: Record<string, number[]>;
  batch: { words: number[]; present: number[]; frames: number[] };
  target: { data: number[]; dtype: "f32" | "i32" };
  logits: { data: number[] };
  predict: { data: number[] };
  loss: number;
  gradients: Record<string, Brief>;
}
export const models = fixture.cases as unknown as Model[];

export const nameOf = ({ image, text, audio, fusion, head }: MultimodalConfig): string => {
  const cell = audio && `${audio.cell ?? "gru"} × ${audio.numLayers ?? 1}${audio.bidirectional ? ", both ways" : ""}`;
  const parts = [image && "image", text && `text ${text.encoder ?? "mean"}`, cell && `audio ${cell}`].filter(Boolean);
  return `${parts.join(" + ")}, ${fusion?.kind ?? "concat"}, ${head.task ?? "multiclass"}`;
};

/** The network of a fixture, with the weights of its formula. */
export function modelOf(engine: Engine, { config, shapes }: Model): MultimodalNet {
  const names = Object.keys(shapes).sort();
  return new MultimodalNet(engine, { ...config, start: (name, shape) => weights(100 + names.indexOf(name), shape) });
}

/** Its batch: five examples, some without one modality or another. */
export function batchOf({ config, batch }: Model) {
  const N = 5;
  return {
    image: config.image && Float32Array.from(hashed(1, N * config.image.shape.reduce((a, b) => a * b))),
    words: Int32Array.from(batch.words),
    audio: Float32Array.from(hashed(3, N * 7 * 3), (u) => u * 2 - 1),
    frames: Int32Array.from(batch.frames),
    present: Float32Array.from(batch.present),
  };
}

export const modelCases: Case[] = models.map((model) => ({
  name: `${nameOf(model.config)}: logits, prediction, loss and gradients as PyTorch's`,
  async run(engine) {
    const net = modelOf(engine, model);
    const parameters = net.parameters();
    expectEqual(
      "the parameters",
      Object.fromEntries(
        Object.keys(parameters)
          .sort()
          .map((name) => [name, parameters[name]!.shape]),
      ),
      model.shapes,
    );
    const { data, dtype } = model.target;
    const target = dtype === "i32" ? Int32Array.from(data) : Float32Array.from(data);
    const { logits, predict, loss, gradients } = await engine.step(() => {
      const logits = net.forward(batchOf(model));
      const loss = net.loss(logits, target);
      const all = loss.backward();
      const gradients = Object.fromEntries(Object.entries(parameters).map(([name, p]) => [name, all.get(p)]));
      return { logits, predict: net.predict(logits), loss, gradients };
    });
    expectClose("logits", await logits.data(), model.logits.data);
    expectClose("predictions", await predict.data(), model.predict.data);
    expectClose("the loss", [await loss.item()], [model.loss]);
    for (const [name, { norm, at, values }] of Object.entries(model.gradients)) {
      const found = (await gradients[name]!.data()) as Float32Array;
      expectClose(`the norm of ${name}'s gradient`, [Math.hypot(...found)], [norm]);
      const usual = norm / Math.sqrt(found.length);
      at.forEach((i, k) => {
        const allowed = 1e-4 * (Math.max(Math.abs(values[k]!), usual) + 1e-3);
        if (!(Math.abs(found[i]! - values[k]!) <= allowed))
          throw new Error(`the gradient of ${name}[${i}] is ${found[i]}, expected ${values[k]} ± ${allowed}`);
      });
    }
    for (const p of Object.values(parameters)) p.dispose();
  },
}));
