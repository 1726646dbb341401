import * as hg from "handgrad";
import { MultimodalNet } from "handgrad/model";
import { adam, type NumberArray, type Peer, type Prepared, type Workload } from "./workloads.ts";

export const referenceNetwork = (engine: hg.Engine) =>
  new MultimodalNet(engine, {
    image: { shape: [1, 28, 28] },
    text: { vocabSize: 1000 },
    audio: { features: 40 },
    head: { outputs: 10 },
    seed: 1,
  });

/** The reference network's first parameters. */
export async function firstParameters(engine: hg.Engine): Promise<Record<string, NumberArray>> {
  const named = Object.entries(referenceNetwork(engine).parameters());
  const arrays = named.map(async ([name, p]) => [name, { data: (await p.data()) as Float32Array, shape: p.shape }]);
  return Object.fromEntries(await Promise.all(arrays));
}

/** handgrad itself, asked as the others are. */
export function handgrad(engine: hg.Engine, version: string): Peer {
  type Named = Record<string, hg.Tensor>;
  let last: Named = {};

  /** Records `fn` as often as it is asked for, in one step, and keeps the last results. */
  const repeated = (fn: () => Named): Prepared => ({
    async run(calls) {
      for (const t of Object.values(last)) t.dispose();
      last = await engine.step(() => {
        let results: Named = {};
        for (let i = 0; i < calls; i++) results = fn();
        return results;
      });
      await engine.synchronize();
    },
    async outputs() {
      const entries = Object.entries(last).map(async ([name, t]) => [name, await t.data()] as const);
      return Object.fromEntries(await Promise.all(entries));
    },
    dispose() {
      for (const t of Object.values(last)) t.dispose();
      last = {};
    },
  });

  const makers: Record<string, (work: Workload) => Prepared> = {
    matmul({ inputs: { a, b } }) {
      const [A, B] = [engine.parameter(a!.data, a!.shape), engine.parameter(b!.data, b!.shape)];
      return repeated(() => hg.noGrad(() => ({ y: hg.matmul(A, B) })));
    },
    "conv2d.forward"({ inputs: { x, w } }) {
      const [X, W] = [engine.parameter(x!.data, x!.shape), engine.parameter(w!.data, w!.shape)];
      return repeated(() => hg.noGrad(() => ({ y: hg.conv2d(X, W, undefined, { padding: 1 }) })));
    },
    conv2d({ inputs }) {
      const [x, w] = [inputs.x!, inputs.w!].map(({ data, shape }) => engine.parameter(data, shape)) as [
        hg.Tensor,
        hg.Tensor,
      ];
      const g = engine.tensor(inputs.g!.data, inputs.g!.shape);
      return repeated(() => {
        const y = hg.conv2d(x, w, undefined, { padding: 1 });
        const d = y.backward(g);
        return { y, dx: d.get(x), dw: d.get(w) };
      });
    },
    "gru.forward"({ inputs }) {
      const { x, ...w } = gruParameters(engine, inputs);
      return repeated(() => hg.noGrad(() => ({ y: hg.gru(x, w).hidden })));
    },
    gru({ inputs }) {
      const p = gruParameters(engine, inputs);
      const { x, ...w } = p;
      const g = engine.tensor(inputs.g!.data, inputs.g!.shape);
      return repeated(() => {
        const y = hg.gru(x, w).hidden;
        const d = y.backward(g);
        return { y, ...Object.fromEntries(Object.entries(p).map(([name, t]) => [`d${name}`, d.get(t)])) };
      });
    },
    "embedding.backward"({ inputs }) {
      const w = engine.parameter(inputs.w!.data, inputs.w!.shape);
      const places = engine.tensor(inputs.ids!.data, inputs.ids!.shape);
      const g = engine.tensor(inputs.g!.data, inputs.g!.shape);
      return repeated(() => {
        const y = hg.embedding(places, w);
        return { y, dw: y.backward(g).get(w) };
      });
    },
    train_step({ inputs }) {
      const net = referenceNetwork(engine);
      const optimizer = hg.adam(net.parameters(), { lr: adam.lr, betas: [adam.beta1, adam.beta2], eps: adam.eps });
      const batch = batchOf(inputs);
      const losses: number[] = [];
      return {
        async run(calls) {
          for (let i = 0; i < calls; i++) {
            const loss = await engine.step(() => {
              const loss = hg.crossEntropy(net.forward(batch, { training: true }), batch.label);
              optimizer.update(loss.backward());
              return loss;
            });
            losses.push(await loss.item());
            loss.dispose();
          }
        },
        outputs: async () => ({ losses: losses.slice(0, 3) }),
      };
    },
    forward({ inputs }) {
      const net = referenceNetwork(engine);
      const batch = batchOf(inputs);
      return repeated(() => hg.noGrad(() => ({ y: net.forward(batch) })));
    },
  };
  return {
    name: "handgrad",
    version,
    adapter: engine.adapter,
    onGpu: true,
    prepare: async (work) => makers[work.op]?.(work),
  };
}

/** x and the weights of a GRU. */
export function gruParameters(engine: hg.Engine, inputs: Workload["inputs"]) {
  const p = (name: string) => engine.parameter(inputs[name]!.data, inputs[name]!.shape);
  return {
    x: p("x"),
    weightIh: p("weightIh"),
    weightHh: p("weightHh"),
    biasIh: p("biasIh"),
    biasHh: p("biasHh"),
  };
}

function batchOf({ image, words, audio, label }: Workload["inputs"]) {
  return {
    image: image!.data as Float32Array,
    words: words!.data as Int32Array,
    audio: audio!.data as Float32Array,
    label: label!.data as Int32Array,
  };
}
