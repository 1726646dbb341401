import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import * as hg from "handgrad";
import { encodeOnnx, type OnnxModel } from "handgrad/model";
import type * as Ort from "onnxruntime-common";
import { gruParameters, referenceNetwork } from "./handgrad.ts";
import type { NumberArray, Peer, Prepared, Workload } from "./workloads.ts";

/*
 * ONNX Runtime on the CPU, in this process. It serves networks and trains none. Its models are handgrad's own exports, in
 * which weights are part of the file, so that it can reorder them when it loads it.
 */

/**
 * Undefined where the package is not in `folder`, or does not load there. By its folder, because a bare name would find
 * the older one that handgrad's own tests use.
 */
export async function ort(engine: hg.Engine, folder: string): Promise<Peer | undefined> {
  const about = join(folder, "package.json");
  if (!existsSync(about)) return undefined;
  let runtime: typeof Ort;
  try {
    runtime = createRequire(about)(folder) as typeof Ort;
  } catch (error) {
    console.error(`onnxruntime-cpu: ${folder} does not load: ${(error as Error).message}`);
    return undefined;
  }
  const { version } = JSON.parse(readFileSync(about, "utf8")) as { version: string };
  const threads = availableParallelism();
  const options: Ort.InferenceSession.SessionOptions = {
    intraOpNumThreads: threads,
    logSeverityLevel: 3,
    // Else its threads keep the processors busy for a while after each run, which is the next engine's turn.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
  return {
    name: "onnxruntime-cpu",
    version,
    adapter: `${cpus()[0]?.model}, ${threads} threads`,
    async prepare(work): Promise<Prepared | undefined> {
      const model = modelOf(engine, work);
      if (!model) return undefined;
      const session = await runtime.InferenceSession.create(await encodeOnnx(engine, model), options);
      const feeds = Object.fromEntries(
        Object.keys(model.inputs).map((name) => [name, tensorOf(runtime, work.inputs[name]!)]),
      );
      let last: Ort.InferenceSession.ReturnType = {};
      return {
        async run(calls) {
          for (let i = 0; i < calls; i++) last = await session.run(feeds);
        },
        outputs: async () => ({ y: last.y!.data as Float32Array }),
        dispose: () => void session.release(),
      };
    },
  };
}

/** What a workload computes, to be exported; undefined where it trains. */
function modelOf(engine: hg.Engine, { op, inputs }: Workload): OnnxModel | undefined {
  const of = (
    names: readonly string[],
    parameters: OnnxModel["parameters"],
    f: (x: Inputs) => hg.Tensor,
  ): OnnxModel => ({
    inputs: Object.fromEntries(names.map((name) => [name, typeOf(inputs[name]!)])),
    parameters,
    compute: (x) => ({ y: f(x) }),
  });
  if (op === "matmul") return of(["a", "b"], {}, ({ a, b }) => hg.matmul(a!, b!));
  if (op === "conv2d.forward") {
    const w = engine.parameter(inputs.w!.data, inputs.w!.shape);
    return of(["x"], { w }, ({ x }) => hg.conv2d(x!, w, undefined, { padding: 1 }));
  }
  if (op === "gru.forward") {
    const { x: _, ...w } = gruParameters(engine, inputs);
    return of(["x"], w, ({ x }) => hg.gru(x!, w).hidden);
  }
  if (op === "forward") {
    const net = referenceNetwork(engine);
    return of(["image", "words", "audio"], net.parameters(), (batch) => net.forward(batch));
  }
  return undefined;
}

type Inputs = Readonly<Record<string, hg.Tensor>>;

const typeOf = ({ data, shape }: NumberArray) =>
  ({ shape, dtype: data instanceof Int32Array ? "i32" : "f32" }) as const;

const tensorOf = ({ Tensor }: typeof Ort, { data, shape }: NumberArray) =>
  data instanceof Int32Array ? new Tensor("int32", data, shape) : new Tensor("float32", data, shape);
