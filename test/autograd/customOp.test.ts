import { describe, expect, test } from "vitest";
import * as hg from "../../src/index.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine();

/** y = x², dx = 2 x · dy, from outside of the package: with what it exports and nothing else. */
const forward = hg.kernel(
  "square",
  () => hg.wgsl`
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&y)) { y[id.x] = x[id.x] * x[id.x]; }
}`,
);
const backward = hg.kernel(
  "square.backward",
  () => hg.wgsl`
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read> dy: array<f32>;
@group(0) @binding(_) var<storage, read_write> dx: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&dx)) { dx[id.x] = 2 * x[id.x] * dy[id.x]; }
}`,
);
const square = hg.customOp("square", (r, [x]) => {
  const threads = hg.grid(hg.count(x!.shape), 64);
  const y = hg.allocate(r, x!.shape);
  r.dispatch({ kernel: forward({}), reads: [x!.slot], writes: [y.slot], grid: threads });
  return {
    outputs: [y],
    backward: ([dy]) => {
      const dx = hg.allocate(r, x!.shape);
      r.dispatch({ kernel: backward({}), reads: [x!.slot, dy!.slot], writes: [dx.slot], grid: threads });
      return [dx];
    },
  };
});

test("an op of one's own computes, and its gradient finds its way through others", async () => {
  const x = engine.parameter([1, -2, 3]);
  const { y, d } = await engine.step(() => {
    const [y] = square([hg.mul(x, 2)], {});
    return { y: y!, d: hg.sum(y!).backward().get(x) };
  });
  expect([...(await y.data())]).toEqual([4, 16, 36]);
  expect([...(await d.data())]).toEqual([8, -16, 24]);
});

describe("an op of one's own that", () => {
  // biome-ignore lint/suspicious/noExplicitAny: calls that the types forbid are what is tested.
  type Any = any;
  const x = () => engine.tensor([1, 2, 3]);
  /** Runs an op that records one dispatch, whose parts `change` replaces, and gives what `gives` makes of its output. */
  const run = (change: (r: hg.Recording, x: hg.Value, y: hg.Value) => object, gives = (y: hg.Value): Any => [y]) => {
    const op = hg.customOp("op", (r, [x]) => {
      const y = hg.allocate(r, x!.shape);
      const whole = { kernel: forward({}), reads: [x!.slot], writes: [y.slot], grid: [1, 1, 1] };
      r.dispatch({ ...whole, ...change(r, x!, y) } as Any);
      return { outputs: gives(y) };
    });
    return engine.step(() => op([x()], {}));
  };
  const nothing = () => ({});
  const learned = engine.parameter([1, 2, 3]);
  /** The gradient by an op whose `backward` is this. */
  const gradient = (backward: (r: hg.Recording, dy: hg.Value) => Any) => {
    const op = hg.customOp("op", (r, [x]) => {
      const y = hg.allocate(r, x!.shape);
      r.dispatch({ kernel: forward({}), reads: [x!.slot], writes: [y.slot], grid: [1, 1, 1] });
      return { outputs: [y], backward: ([dy]) => backward(r, dy!) };
    });
    return engine.step(() =>
      hg
        .sum(op([learned], {})[0]!)
        .backward()
        .get(learned),
    );
  };

  test.each<[string, () => unknown, string]>([
    ["has no kernel", () => run(() => ({ kernel: undefined })), "dispatch: kernel is undefined"],
    [
      "gives a kernel's function",
      () => run(() => ({ kernel: forward })),
      "dispatch: kernel is a function, expected what",
    ],
    [
      "reads a value",
      () => run((_, x) => ({ reads: [x] })),
      "square: reads[0] is a Tensor, expected the slot of a value",
    ],
    ["writes a value", () => run((_, _x, y) => ({ writes: [y] })), "square: writes[0] is an object, expected the slot"],
    ["reads no list", () => run(() => ({ reads: undefined })), "square: reads is undefined, expected a list of slots"],
    [
      "writes what it reads",
      () => run((_, x) => ({ writes: [x.slot] })),
      "square: it reads and writes one tensor at once",
    ],
    [
      "reads what nothing wrote",
      () => run((r) => ({ reads: [hg.allocate(r, [3]).slot] })),
      "reads[0], of 12 bytes, was written by no dispatch",
    ],
    [
      "has a grid of NaN",
      () => run(() => ({ grid: [Number.NaN, 1, 1] })),
      "square: the grid is [NaN, 1, 1], expected three whole numbers",
    ],
    ["has a grid of one", () => run(() => ({ grid: [1] })), "square: the grid is [1], expected three whole numbers"],
    [
      "has a large grid",
      () => run(() => ({ grid: [70_000, 1, 1] })),
      "square: the grid is [70000, 1, 1], and the device takes at most 65535",
    ],
    [
      "has a half param",
      () => run(() => ({ params: [0.5] })),
      "square: params[0] is 0.5, expected a whole number of 32 bits. Upload others",
    ],
    [
      "has params of no numbers",
      () => run(() => ({ params: "ab" })),
      'square: params is "ab", expected a list of whole numbers',
    ],
    ["misspells a part", () => run(() => ({ param: [1] })), 'square: there is no option "param". Did you mean params?'],
    [
      "uploads float64",
      () => run((r) => ({ reads: [r.upload(new Float64Array(3) as Any)] })),
      "upload: data is a Float64Array, expected a Float32Array",
    ],
    [
      "allocates NaN",
      () => run((r) => ({ reads: [r.temporary(Number.NaN)] })),
      "temporary: its size is NaN, expected bytes",
    ],
    ["gives no value", () => run(nothing, () => [undefined]), "op: output 0 is undefined, expected a value, such as"],
    ["gives a slot", () => run(nothing, (y) => [y.slot]), "op: output 0 is a Slot, expected a value"],
    [
      "gives another shape",
      () => run(nothing, (y) => [{ ...y, shape: [2] }]),
      "op: output 0 is [2], but its slot holds 3 numbers.",
    ],
    ["gives another type", () => run(nothing, (y) => [{ ...y, dtype: "f16" }]), 'op: the dtype of output 0 is "f16"'],
    [
      "gives what nothing wrote",
      () => run(() => ({ grid: [0, 1, 1] })),
      "op: output 0 [3] was written by no dispatch.",
    ],
    ["gives no gradients", () => gradient(() => undefined), "op: what backward gives is undefined, expected a list"],
    [
      "gives too many gradients",
      () => gradient((_, dy) => [dy, dy]),
      "op: backward gives 2 gradients, but there are 1 inputs.",
    ],
    [
      "gives a gradient of another shape",
      () => gradient((_, dy) => [{ ...dy, shape: [3, 1] }]),
      "op: its gradient gives [3, 1] of f32 for input 0, which is [3].",
    ],
    [
      "gives a gradient of integers",
      () => gradient((_, dy) => [{ ...dy, dtype: "i32" }]),
      "op: its gradient gives [3] of i32 for input 0",
    ],
    [
      "gives a gradient that nothing wrote",
      () => gradient((r) => [hg.allocate(r, [3])]),
      "op: the gradient of input 0 [3] was written by no dispatch.",
    ],
  ])("%s is refused by name", async (_, run, message) => {
    await expect(run()).rejects.toThrow(message);
  });

  test.each<[string, (op: Any) => Any, string]>([
    [
      "misspells backward",
      (made) => ({ ...made, backwards: () => [] }),
      'op: there is no option "backwards". Did you mean backward?',
    ],
    ["has no function for backward", (made) => ({ ...made, backward: 5 }), "op: backward is 5, expected a function."],
    [
      "names constants that there are not",
      (made) => ({ ...made, constants: { 1: "target" } }),
      "op: constants name input 1, but there are 1 inputs.",
    ],
  ])("%s is refused by name", async (_, change, message) => {
    const op = hg.customOp("op", (_, [x]) => change({ outputs: [x!] }));
    await expect(engine.step(() => op([x()], {}))).rejects.toThrow(message);
  });

  test.each<[string, () => unknown, string]>([
    ["count", () => hg.count(5 as Any), "count: the shape is 5, expected an array of sizes"],
    [
      "count of a half",
      () => hg.count([1.5]),
      "count: a size of the shape is 1.5, expected a whole number of at least 0.",
    ],
    ["grid", () => hg.grid(Number.NaN, 64), "grid: n is NaN, expected a whole number of at least 0."],
    ["grid of no size", () => (hg.grid as Any)(64), "grid: size is undefined, expected a whole number of at least 1."],
    [
      "allocate",
      () => hg.allocate(engine as Any, [3]),
      "allocate: r is a Engine, expected the recording that an op is given.",
    ],
    ["kernel", () => hg.kernel("", () => ""), 'kernel: the label is "", expected a text'],
    ["kernel of no source", () => hg.kernel("twice", "x" as Any), 'twice: source is "x", expected a function'],
    [
      "a source of no text",
      () => hg.kernel("twice", () => undefined as Any)({}),
      "twice: its source gives undefined, expected the text",
    ],
    [
      "a variant of objects",
      () => hg.kernel("twice", () => "")({ by: {} } as Any),
      "twice: by of the variant is an object",
    ],
    ["wgsl", () => hg.wgsl("text" as Any), 'wgsl: it is the tag of a template, wgsl`…`, and was called with "text".'],
    ["wgsl of undefined", () => hg.wgsl`a ${1} b ${undefined as Any}`, "2 inserts undefined, expected a text"],
    ["wgsl of NaN in a list", () => hg.wgsl`a ${[1, Number.NaN]}`, "1 inserts NaN"],
    ["wgsl of a half loop", () => hg.wgsl`#unroll i in ${1.5} a$i; #end`, 'wgsl: "#unroll i in 1.5'],
    [
      "wgsl of an open #if",
      () => hg.wgsl`#if ${true}\n a`,
      "wgsl: Mismatched #if/#endif count. An #if ends with #endif",
    ],
  ])("%s refuses what it cannot use", (_, call, message) => {
    expect(call).toThrow(message);
  });

  test("variants of other texts are other kernels", () => {
    const made = hg.kernel("made", (variant: Record<string, string>) => JSON.stringify(variant));
    expect(made({ a: "1,b 2" }).id).not.toBe(made({ a: "1", b: "2" }).id);
  });
});

test("a shader of more bindings than its dispatch gives is told by the dispatch", async () => {
  const scaled = hg.kernel(
    "scaled",
    () => hg.wgsl`
struct Params { n: u32 }
@group(0) @binding(_) var<storage, read> x: array<f32>;
@group(0) @binding(_) var<storage, read_write> y: array<f32>;
@group(0) @binding(_) var<uniform> params: Params;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.n) { y[id.x] = x[id.x]; }
}`,
  );
  const op = hg.customOp("scaled", (r, [x]) => {
    const y = hg.allocate(r, x!.shape);
    r.dispatch({ kernel: scaled({}), reads: [x!.slot], writes: [y.slot], grid: [1, 1, 1] });
    return { outputs: [y] };
  });
  await expect(engine.step(() => op([engine.tensor([1])], {}))).rejects.toThrow(
    "scaled: its shader has 3 bindings, but its dispatch gives 2: 1 reads, 1 writes and no params.",
  );
});

test("batchNorm2d moves its running mean and variance as PyTorch does", async () => {
  const [mean, variance] = [engine.parameter([0, 1]), engine.parameter([1, 2])];
  const x = engine.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 1, 2]);
  await engine.step(() => {
    hg.batchNorm2d(x, undefined, undefined, { training: true, running: { mean, variance } });
  });
  // Channel 0 is 1, 2, 5, 6 (mean 3.5, variance 17 / 3), channel 1 is 3, 4, 7, 8 (mean 5.5).
  const [m, v] = [await mean.data(), await variance.data()];
  for (const [found, expected] of [
    [m[0], 0.35],
    [m[1], 0.9 + 0.55],
    [v[0], 0.9 + 17 / 30],
    [v[1], 1.8 + 17 / 30],
  ] as const)
    expect(found).toBeCloseTo(expected, 5);
});
