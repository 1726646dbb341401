import "@tensorflow/tfjs-core/dist/register_all_gradients";
// What registers the backend; a type alone would be left out of the bundle.
import "@tensorflow/tfjs-backend-webgpu";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { adapterOf } from "./count.ts";
import { adam, type NumberArray, type Peer, type Prepared, type Workload } from "./workloads.ts";

/*
 * TensorFlow.js on its WebGPU backend, written as its users would: images NHWC, fused kernels where it has them, tidy.
 * A GRU whose reset gate comes after the product is not among its layers, so it is a loop over time here.
 */

const tensor = ({ data, shape }: NumberArray) =>
  tf.tensor(data, [...shape], data instanceof Int32Array ? "int32" : "float32");
/** [N, C, H, W] → [N, H, W, C], and a window [O, C, kH, kW] → [kH, kW, C, O]. Done once, when the case is made ready. */
const nhwc = (a: NumberArray) => tf.tidy(() => tf.transpose(tensor(a), [0, 2, 3, 1]));
const window = (a: NumberArray) => tf.tidy(() => tf.transpose(tensor(a), [2, 3, 1, 0]));

const product = (a: tf.Tensor2D, b: tf.Tensor2D, bias: tf.Tensor, activation?: "relu") =>
  tf.fused.matMul({ a, b, transposeB: true, bias, ...(activation && { activation }) });

/** The last state of a GRU as PyTorch defines it. x [N, T, I]. The product with x is one for all times. */
function gru(x: tf.Tensor3D, wIh: tf.Tensor2D, wHh: tf.Tensor2D, bIh: tf.Tensor, bHh: tf.Tensor): tf.Tensor2D {
  const [N, T, I] = x.shape;
  const H = wHh.shape[1];
  const all = tf.reshape(product(tf.reshape(x, [N * T, I]), wIh, bIh), [N, T, 3 * H]);
  let h = tf.zeros([N, H]) as tf.Tensor2D;
  for (const step of tf.unstack(all, 1)) {
    const [xr, xz, xn] = tf.split(step as tf.Tensor2D, 3, 1);
    const [hr, hz, hn] = tf.split(product(h, wHh, bHh) as tf.Tensor2D, 3, 1);
    const r = tf.sigmoid(tf.add(xr!, hr!));
    const z = tf.sigmoid(tf.add(xz!, hz!));
    const n = tf.tanh(tf.add(xn!, tf.mul(r, hn!)));
    h = tf.add(n, tf.mul(z, tf.sub(h, n)));
  }
  return h;
}

const gruNames = ["x", "weightIh", "weightHh", "biasIh", "biasHh"];

export async function tfjs(): Promise<Peer> {
  await tf.setBackend("webgpu");
  await tf.ready();
  const backend = tf.backend() as WebGPUBackend & { device: GPUDevice };
  const { device } = backend;
  const done = async () => {
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
    await device.queue.onSubmittedWorkDone();
  };
  const read = async (named: Record<string, tf.Tensor>) => {
    const entries = Object.entries(named).map(async ([name, t]) => [name, await t.data()] as const);
    return Object.fromEntries(await Promise.all(entries)) as Record<string, ArrayLike<number>>;
  };

  const repeated = (
    fn: () => Record<string, tf.Tensor>,
    shown = (named: Record<string, tf.Tensor>) => named,
  ): Prepared => {
    let last: Record<string, tf.Tensor> = {};
    return {
      async run(calls) {
        for (let i = 0; i < calls; i++) {
          tf.dispose(last);
          last = tf.tidy(fn);
        }
        await done();
      },
      outputs: () => read(tf.tidy(() => shown(last))),
      dispose: () => tf.dispose(last),
    };
  };

  const makers: Record<string, (work: Workload) => Prepared> = {
    matmul({ inputs }) {
      const [a, b] = [tensor(inputs.a!), tensor(inputs.b!)];
      return repeated(() => ({ y: tf.matMul(a, b) }));
    },
    "conv2d.forward"({ inputs }) {
      const [x, w] = [nhwc(inputs.x!) as tf.Tensor4D, window(inputs.w!) as tf.Tensor4D];
      return repeated(
        () => ({ y: tf.conv2d(x, w, 1, "same") }),
        ({ y }) => ({ y: tf.transpose(y!, [0, 3, 1, 2]) }),
      );
    },
    conv2d({ inputs }) {
      const [x, w, g] = [nhwc(inputs.x!), window(inputs.w!), nhwc(inputs.g!)];
      const f = tf.valueAndGrads<tf.Tensor>((...a: tf.Tensor[]) =>
        tf.conv2d(a[0] as tf.Tensor4D, a[1] as tf.Tensor4D, 1, "same"),
      );
      return repeated(
        () => {
          const { value: y, grads } = f([x, w], g);
          return { y, dx: grads[0]!, dw: grads[1]! };
        },
        ({ y, dx, dw }) => ({
          y: tf.transpose(y!, [0, 3, 1, 2]),
          dx: tf.transpose(dx!, [0, 3, 1, 2]),
          dw: tf.transpose(dw!, [3, 2, 0, 1]),
        }),
      );
    },
    "gru.forward"({ inputs }) {
      const args = gruNames.map((name) => tensor(inputs[name]!)) as Parameters<typeof gru>;
      return repeated(() => ({ y: gru(...args) }));
    },
    gru({ inputs }) {
      const args = gruNames.map((name) => tensor(inputs[name]!));
      const g = tensor(inputs.g!);
      const f = tf.valueAndGrads<tf.Tensor>((...a: tf.Tensor[]) => gru(...(a as Parameters<typeof gru>)));
      return repeated(() => {
        const { value: y, grads } = f(args, g);
        return { y, ...Object.fromEntries(gruNames.map((name, i) => [`d${name}`, grads[i]!])) };
      });
    },
    "embedding.backward"({ inputs }) {
      const [w, ids, g] = [tensor(inputs.w!), tensor(inputs.ids!) as tf.Tensor1D, tensor(inputs.g!)];
      const f = tf.valueAndGrad<tf.Tensor, tf.Tensor>((w) => tf.gather(w as tf.Tensor2D, ids));
      return repeated(() => {
        const { value: y, grad: dw } = f(w, g);
        return { y, dw };
      });
    },
    train_step({ inputs }) {
      const { forward, label } = network(inputs);
      const optimizer = tf.train.adam(adam.lr, adam.beta1, adam.beta2, adam.eps);
      const oneHot = tf.oneHot(label, 10);
      const losses: number[] = [];
      return {
        async run(calls) {
          for (let i = 0; i < calls; i++) {
            const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(oneHot, forward()) as tf.Scalar, true)!;
            losses.push((await loss.data())[0]!);
            loss.dispose();
          }
        },
        outputs: async () => ({ losses: losses.slice(0, 3) }),
      };
    },
    forward({ inputs }) {
      const { forward } = network(inputs);
      return repeated(() => ({ y: forward() }));
    },
  };
  return {
    name: "tfjs-webgpu",
    version: tf.version_core,
    onGpu: true,
    device,
    adapter: adapterOf(device),
    prepare: async (work) => makers[work.op]?.(work),
  };
}

/** The reference network. The head's weights are reordered once, as its images are flattened as HWC and not as CHW. */
function network(inputs: Workload["inputs"]) {
  const learned = (t: tf.Tensor) => tf.variable(t);
  const p = (name: string) => learned(tensor(inputs[name]!));
  const conv = ["image.conv1", "image.conv2"].map((name) => ({
    filter: learned(window(inputs[`${name}.weight`]!)) as unknown as tf.Tensor4D,
    bias: p(`${name}.bias`),
  }));
  const vectors = p("text.embedding.weight");
  const recurrent = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((part) => p(`audio.gru.${part}_l0`));
  const hidden = learned(
    tf.tidy(() => {
      const w = tensor(inputs["head.hidden.weight"]!) as tf.Tensor2D;
      const image = tf.reshape(tf.slice(w, [0, 0], [-1, 32 * 49]), [-1, 32, 7, 7]);
      return tf.concat([tf.reshape(tf.transpose(image, [0, 2, 3, 1]), [-1, 32 * 49]), tf.slice(w, [0, 32 * 49])], 1);
    }),
  ) as unknown as tf.Tensor2D;
  const hiddenBias = p("head.hidden.bias");
  const output = p("head.output.weight") as unknown as tf.Tensor2D;
  const outputBias = p("head.output.bias");

  const image = nhwc(inputs.image!) as tf.Tensor4D;
  const words = tensor(inputs.words!) as tf.Tensor2D;
  const audio = tensor(inputs.audio!) as tf.Tensor3D;
  const present = tf.tidy(() => {
    const mask = tf.cast(tf.notEqual(words, 0), "float32");
    return tf.expandDims(tf.div(mask, tf.sum(mask, 1, true)), 2);
  });
  const forward = () => {
    let x = image;
    for (const { filter, bias } of conv) {
      x = tf.maxPool(tf.fused.conv2d({ x, filter, strides: 1, pad: "same", bias, activation: "relu" }), 2, 2, "valid");
    }
    const text = tf.sum(tf.mul(tf.gather(vectors, words), present), 1);
    const sound = gru(audio, ...(recurrent as unknown as [tf.Tensor2D, tf.Tensor2D, tf.Tensor, tf.Tensor]));
    const fused = tf.concat([tf.reshape(x, [x.shape[0], -1]), text, sound], 1) as tf.Tensor2D;
    return product(product(fused, hidden, hiddenBias, "relu") as tf.Tensor2D, output, outputBias);
  };
  return { forward, label: tensor(inputs.label!) as tf.Tensor1D };
}
