import {
  blockUntilReady,
  defaultDevice,
  getWebGPUDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  valueAndGrad,
  vjp,
} from "@jax-js/jax";
import { adapterOf } from "./count.ts";
import { adam, type NumberArray, type Peer, type Prepared, type Workload } from "./workloads.ts";

/*
 * jax-js on its WebGPU backend, written as its users would: everything under jit. It counts references: a function
 * uses up its arguments, and `.ref` is one use more. It has no scan, so the GRU's loop over time is unrolled by jit, and no
 * scatter under jit, so the network's word vectors come by a product with one-hot rows.
 */

type A = np.Array;
type Named = { [name: string]: A };

function array({ data, shape }: NumberArray): A {
  const dtype = data instanceof Int32Array ? np.int32 : np.float32;
  return np.array(data as Float32Array<ArrayBuffer>, { shape: [...shape], dtype });
}
const arrays = (inputs: Workload["inputs"], names: readonly string[]): Named =>
  Object.fromEntries(names.map((name) => [name, array(inputs[name]!)]));
const refs = (named: Named): Named => Object.fromEntries(Object.entries(named).map(([name, a]) => [name, a.ref]));

const linear = (x: A, w: A, b: A): A => np.matmul(x, w.transpose()).add(b);
const conv3 = (x: A, w: A): A => lax.conv(x, w, [1, 1], "SAME");

/** The last state of a GRU as PyTorch defines it. x [N, T, I]. The product with x is one for all times. */
function gru(x: A, wIh: A, wHh: A, bIh: A, bHh: A): A {
  const [N, T] = x.shape as [number, number, number];
  const H = wHh.shape[1]!;
  const all = linear(x, wIh, bIh);
  let h = np.zeros([N, H]);
  for (let t = 0; t < T; t++) {
    const step = all.ref.slice([], t);
    const recurrent = linear(h.ref, wHh.ref, bHh.ref);
    const gate = (a: A, k: number) => a.ref.slice([], [k * H, (k + 1) * H]);
    const r = nn.sigmoid(gate(step, 0).add(gate(recurrent, 0)));
    const z = nn.sigmoid(gate(step, 1).add(gate(recurrent, 1)));
    const n = np.tanh(gate(step, 2).add(r.mul(gate(recurrent, 2))));
    step.dispose();
    recurrent.dispose();
    h = n.ref.add(z.mul(h.sub(n)));
  }
  for (const a of [all, wHh, bHh]) a.dispose();
  return h;
}

const gruNames = ["x", "weightIh", "weightHh", "biasIh", "biasHh"];

const pooled = (x: A): A => {
  const [N, C, H, W] = x.shape as [number, number, number, number];
  return np.max(x.reshape([N, C, H / 2, 2, W / 2, 2]), [3, 5]);
};

/** Logits. Uses up p and the batch. */
function forward(p: Named, image: A, words: A, audio: A): A {
  let x = image;
  for (const name of ["image.conv1", "image.conv2"]) {
    const bias = p[`${name}.bias`]!;
    x = pooled(nn.relu(conv3(x, p[`${name}.weight`]!).add(bias.reshape([1, -1, 1, 1]))));
  }
  const present = words.ref.notEqual(0).astype(np.float32);
  const vectors = np.matmul(nn.oneHot(words, 1000), p["text.embedding.weight"]!);
  const count = np.sum(present.ref, 1).reshape([-1, 1]);
  const text = np.sum(vectors.mul(present.reshape([...present.shape, 1])), 1).div(count);
  const part = (name: string) => p[`audio.gru.${name}_l0`]!;
  const sound = gru(audio, part("weight_ih"), part("weight_hh"), part("bias_ih"), part("bias_hh"));
  const fused = np.concatenate([x.reshape([x.shape[0]!, -1]), text, sound], 1);
  const hidden = nn.relu(linear(fused, p["head.hidden.weight"]!, p["head.hidden.bias"]!));
  return linear(hidden, p["head.output.weight"]!, p["head.output.bias"]!);
}

function crossEntropy(p: Named, image: A, words: A, audio: A, label: A): A {
  const N = label.shape[0]!;
  return np.sum(nn.logSoftmax(forward(p, image, words, audio)).mul(nn.oneHot(label, 10))).mul(-1 / N);
}

type State = {
  p: Named;
  m: Named;
  v: Named;
};

/** One step of Adam. `rate` and `scale` hold what depends on the step's number: they are data, not baked in by jit. */
const trainStep = jit((p: Named, m: Named, v: Named, rate: A, scale: A, image: A, words: A, audio: A, label: A) => {
  const [loss, grads] = valueAndGrad(crossEntropy)(refs(p), image, words, audio, label) as [A, Named];
  const next: State = { p: {}, m: {}, v: {} };
  for (const [name, g] of Object.entries(grads)) {
    const first = m[name]!.mul(adam.beta1).add(g.ref.mul(1 - adam.beta1));
    const second = v[name]!.mul(adam.beta2).add(np.square(g).mul(1 - adam.beta2));
    next.m[name] = first.ref;
    next.v[name] = second.ref;
    next.p[name] = p[name]!.sub(first.mul(rate.ref).div(np.sqrt(second.mul(scale.ref)).add(adam.eps)));
  }
  rate.dispose();
  scale.dispose();
  return { loss, ...next };
});

export async function jax(version: string): Promise<Peer> {
  await init("webgpu");
  defaultDevice("webgpu");
  const device = getWebGPUDevice();
  const repeated = (fn: () => Named): Prepared => {
    // All results are kept until they are there: jax-js never computes what was dropped before.
    let last: Named[] = [];
    const drop = () => {
      for (const named of last) for (const a of Object.values(named)) a.dispose();
      last = [];
    };
    return {
      async run(calls) {
        drop();
        for (let i = 0; i < calls; i++) last.push(fn());
        await blockUntilReady(last);
        await device.queue.onSubmittedWorkDone();
      },
      async outputs() {
        const entries = Object.entries(last[0]!).map(async ([name, a]) => [name, await a.ref.data()] as const);
        return Object.fromEntries(await Promise.all(entries)) as Record<string, ArrayLike<number>>;
      },
      dispose: drop,
    };
  };

  const oneWay = (inputs: Workload["inputs"], names: readonly string[], f: (...args: A[]) => A) => {
    const all = arrays(inputs, names);
    const run = jit(f);
    return repeated(() => ({ y: run(...names.map((name) => all[name]!.ref)) }));
  };

  /** y and the gradients by `names` where g is the gradient by y. */
  const bothWays = (inputs: Workload["inputs"], names: readonly string[], f: (...args: A[]) => A) => {
    const all = arrays(inputs, [...names, "g"]);
    const run = jit((...args: A[]) => {
      const g = args.pop()!;
      const [y, back] = vjp(f, args) as unknown as [A, ((g: A) => A[]) & { dispose(): void }];
      const grads = back(g);
      back.dispose();
      return [y, ...grads];
    });
    return repeated(() => {
      const [y, ...grads] = run(...[...names, "g"].map((name) => all[name]!.ref));
      return { y: y!, ...Object.fromEntries(names.map((name, i) => [`d${name}`, grads[i]!])) };
    });
  };

  const makers: Record<string, (work: Workload) => Prepared> = {
    matmul: ({ inputs }) => oneWay(inputs, ["a", "b"], (a, b) => np.matmul(a!, b!)),
    "conv2d.forward": ({ inputs }) => oneWay(inputs, ["x", "w"], (x, w) => conv3(x!, w!)),
    conv2d: ({ inputs }) => bothWays(inputs, ["x", "w"], (x, w) => conv3(x!, w!)),
    "gru.forward": ({ inputs }) => oneWay(inputs, gruNames, (...a) => gru(...(a as [A, A, A, A, A]))),
    gru: ({ inputs }) => bothWays(inputs, gruNames, (...a) => gru(...(a as [A, A, A, A, A]))),
    /** Not under jit, which has no scatter. */
    "embedding.backward"({ inputs }) {
      const { w, ids, g } = arrays(inputs, ["w", "ids", "g"]);
      return repeated(() => {
        const [y, back] = vjp((w: A) => np.take(w, ids!.ref, 0), [w!.ref]) as unknown as [
          A,
          ((g: A) => A[]) & { dispose(): void },
        ];
        const [dw] = back(g!.ref);
        back.dispose();
        return { y, dw: dw! };
      });
    },
    train_step({ inputs }) {
      const { image, words, audio, label, ...weights } = arrays(inputs, Object.keys(inputs));
      const zeros = () => Object.fromEntries(Object.entries(weights).map(([name, a]) => [name, np.zeros(a.shape)]));
      let state: State = { p: weights, m: zeros(), v: zeros() };
      let steps = 0;
      const losses: number[] = [];
      return {
        async run(calls) {
          for (let i = 0; i < calls; i++) {
            steps += 1;
            const rate = np.array([adam.lr / (1 - adam.beta1 ** steps)]);
            const scale = np.array([1 / (1 - adam.beta2 ** steps)]);
            const batch = [image!.ref, words!.ref, audio!.ref, label!.ref] as const;
            const { loss, ...next } = trainStep(state.p, state.m, state.v, rate, scale, ...batch);
            state = next;
            losses.push((await loss.data())[0]!);
            await blockUntilReady(state);
            await device.queue.onSubmittedWorkDone();
          }
        },
        outputs: async () => ({ losses: losses.slice(0, 3) }),
      };
    },
    forward({ inputs }) {
      const { image, words, audio, label, ...weights } = arrays(inputs, Object.keys(inputs));
      const f = jit(forward);
      return repeated(() => ({ y: f(refs(weights), image!.ref, words!.ref, audio!.ref) }));
    },
  };
  return {
    name: "jax-js-webgpu",
    version,
    onGpu: true,
    device,
    adapter: adapterOf(device),
    prepare: async (work) => makers[work.op]?.(work),
  };
}
