import { randomBatch } from "../batch.ts";

/*
 * What all engines are asked to do: the same numbers in, and the same numbers expected out. A case "both ways" gives y and
 * the gradients by all other inputs where g is the gradient by y, so that no engine can leave out a part of the work.
 */

export interface NumberArray {
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

export interface Workload {
  readonly op: string;
  readonly shape: string;
  /** Multiplications and additions of one call; 0 where they do not say much. */
  readonly flops: number;
  /** Calls that are asked for at once and awaited together. */
  readonly calls: number;
  /** Runs before the outputs are compared and time is taken. */
  readonly warmUps: number;
  readonly inputs: Readonly<Record<string, NumberArray>>;
}

/** Milliseconds on the clock, and of all processors' work; null in a page, which cannot know. */
export interface Times {
  readonly wall: number;
  readonly cpu: number | null;
}

/** One workload in one engine, made ready. */
export interface Prepared {
  /** Does the work so many times; resolves when the device is done with it. */
  run(calls: number): Promise<void>;
  /** What the last run took, where it ran in another process, which keeps its own time. */
  times?(): Times;
  /** What came out last: compared with the other engines before anything is timed. */
  outputs(): Promise<Record<string, ArrayLike<number>>>;
  dispose?(): void;
}

/** What a reader wants to know of an engine. */
export interface About {
  readonly name: string;
  readonly version: string;
  /** The adapter or the processor. */
  readonly adapter: string;
}

export interface Peer extends About {
  /** Whether it asks something of WebGPU, which is counted. */
  readonly onGpu?: true;
  /** Its GPU device, for error scopes, where the engine itself does not say what the GPU refused. */
  readonly device?: GPUDevice;
  /** Undefined where the engine has no such thing. */
  prepare(work: Workload): Promise<Prepared | undefined>;
  close?(): void;
}

/** Numbers in [-1, 1) times `scale`, that depend on the place alone. */
function numbers(shape: readonly number[], seed: number, scale = 1): NumberArray {
  const n = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from(
    { length: n },
    (_, i) => ((((i + 1) * 7919 + seed * 104729) % 20011) / 10005.5 - 1) * scale,
  );
  return { data, shape };
}

const ids = (data: Int32Array, ...shape: number[]): NumberArray => ({ data, shape });

function matmul(size: number, calls: number): Workload {
  return {
    op: "matmul",
    shape: `${size}×${size}×${size}`,
    flops: 2 * size ** 3,
    calls,
    warmUps: 2,
    inputs: { a: numbers([size, size], 1), b: numbers([size, size], 2) },
  };
}

/** Forward, and both ways. */
function conv2d(N: number, C: number, S: number, O: number): Workload[] {
  const shape = `${N}×${C}×${S}×${S}→${O}, 3×3`;
  const flops = 2 * N * O * S * S * C * 9;
  const inputs = { x: numbers([N, C, S, S], 1), w: numbers([O, C, 3, 3], 2, 0.1) };
  const g = numbers([N, O, S, S], 3);
  return [
    { op: "conv2d.forward", shape, flops, calls: 1, warmUps: 2, inputs },
    { op: "conv2d", shape: `${shape}, both ways`, flops: 3 * flops, calls: 1, warmUps: 2, inputs: { ...inputs, g } },
  ];
}

/** Forward, and both ways. */
function gru(N: number, T: number, I: number, H: number): Workload[] {
  const shape = `${N}×${T}×${I}→${H}`;
  const flops = 2 * N * T * 3 * H * (I + H);
  const inputs = {
    x: numbers([N, T, I], 1),
    weightIh: numbers([3 * H, I], 2, 0.15),
    weightHh: numbers([3 * H, H], 3, 0.12),
    biasIh: numbers([3 * H], 4, 0.12),
    biasHh: numbers([3 * H], 5, 0.12),
  };
  const g = numbers([N, H], 6);
  return [
    { op: "gru.forward", shape, flops, calls: 1, warmUps: 2, inputs },
    { op: "gru", shape: `${shape}, both ways`, flops: 3 * flops, calls: 1, warmUps: 2, inputs: { ...inputs, g } },
  ];
}

function embedding(V: number, D: number, n: number): Workload {
  return {
    op: "embedding.backward",
    shape: `${V}×${D}, ${n} ids`,
    flops: 0,
    calls: 1,
    warmUps: 2,
    inputs: {
      w: numbers([V, D], 1),
      ids: ids(
        Int32Array.from({ length: n }, (_, i) => (i * 7919) % 1500),
        n,
      ),
      g: numbers([n, D], 2),
    },
  };
}

/** Adam's settings, the same everywhere. */
export const adam = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/** The network's parameters are inputs too, so that all engines start from the same numbers. */
export function network(op: "train_step" | "forward", parameters: Record<string, NumberArray>): Workload {
  const [N, L, T] = [32, 16, 32];
  const batch = randomBatch(N, L, T, 1000, 40);
  return {
    op,
    shape: "batch 32, 28×28 image, 16 words of 1000, 32×40 audio",
    flops: 0,
    calls: 1,
    warmUps: 3,
    inputs: {
      image: { data: batch.image, shape: [N, 1, 28, 28] },
      words: ids(batch.words, N, L),
      audio: { data: batch.audio, shape: [N, T, 40] },
      label: ids(batch.label, N),
      ...parameters,
    },
  };
}

export const kernels = (): Workload[] => [
  matmul(64, 64),
  matmul(256, 4),
  matmul(512, 1),
  matmul(1024, 1),
  ...conv2d(8, 32, 32, 64),
  ...gru(32, 50, 40, 64),
  embedding(10000, 64, 3200),
];
