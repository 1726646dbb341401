import { createRequire } from "node:module";
import type * as Ort from "onnxruntime-common";
import { expect, test } from "vitest";
import { loadTriDigits } from "../../demo/tridigits/load.ts";
import { Random } from "../../src/data/index.ts";
import { adam, noGrad } from "../../src/index.ts";
import { ConditionalVae, encodeOnnx, MultimodalNet } from "../../src/model/index.ts";
import { agreeOn, numbers } from "../agree.ts";
import { expectClose } from "../harness.ts";
import { useEngine } from "../use-engine.ts";

const engine = await useEngine();

const F = 16;
/** Features of ten classes: well apart, each with noise of its own. */
const featuresOf = (labels: ArrayLike<number>, random: Random) =>
  Float32Array.from({ length: F * labels.length }, (_, i) => {
    const [n, f] = [Math.floor(i / F), i % F];
    return 2 * Math.sin((labels[n]! + 1) * (f + 1) * 1.7) + 0.3 * random.normal();
  });

test("the loss is the bound of the equation, and its gradients are its slopes", async () => {
  const drawer = new ConditionalVae(engine, {
    features: 3,
    image: [1, 4, 4],
    noise: 2,
    hidden: 5,
    channels: [3, 2],
    seed: 4,
  });
  const [x, f] = [numbers([2, 1, 4, 4], 1), numbers([2, 3], 2)];
  const image = Float32Array.from(x.data, (v) => Math.abs(v) % 1);
  const at = async (engineSteps: number) => {
    engine.stepCount = engineSteps;
    const names = Object.keys(drawer.parameters());
    const { loss, grads } = await engine.step(() => {
      const loss = drawer.loss(image, Float32Array.from(f.data), { beta: 0.5 });
      const all = loss.backward();
      return { loss, grads: names.map((name) => all.get(drawer.parameters()[name]!)) };
    });
    return { loss: await loss.item(), grads: await Promise.all(grads.map((g) => g.data())), names };
  };
  const here = await at(100);
  // The same engine step draws the same noise, so that differences of the loss are those of the parameters.
  for (const name of ["encoder.output.bias", "decoder.up1.weight", "decoder.hidden.weight"]) {
    const p = drawer.parameters()[name]!;
    const data = (await p.data()).slice() as Float32Array;
    const slope = async (i: number, h: number) => {
      const moved = data.slice();
      moved[i]! += h;
      p.gpu.write(p.slot, moved);
      return (await at(100)).loss;
    };
    for (const i of [0, data.length - 1]) {
      const found = ((await slope(i, 1e-2)) - (await slope(i, -1e-2))) / 2e-2;
      expect(here.grads[here.names.indexOf(name)]![i]!, `${name}[${i}]`).toBeCloseTo(found, 1);
    }
    p.gpu.write(p.slot, data);
  }
  // With no noise to speak of, the loss is the cross-entropy of what it draws, and the divergence of a point.
  const p = drawer.parameters();
  const bias = (await p["encoder.output.bias"]!.data()) as Float32Array;
  p["encoder.output.weight"]!.gpu.write(p["encoder.output.weight"]!.slot, new Float32Array(5 * 4));
  const still = Float32Array.of(bias[0]!, bias[1]!, -30, -30);
  p["encoder.output.bias"]!.gpu.write(p["encoder.output.bias"]!.slot, still);
  const z = Float32Array.of(still[0]!, still[1]!, still[0]!, still[1]!);
  const drawn = await engine.step(() => noGrad(() => drawer.draw(Float32Array.from(f.data), z)));
  const y = (await drawn.data()) as Float32Array;
  const missed = image.reduce((sum, v, i) => sum - v * Math.log(y[i]!) - (1 - v) * Math.log(1 - y[i]!), 0);
  const divergence = 2 * [0, 1].reduce((sum, i) => sum + 0.5 * (still[i]! ** 2 + Math.exp(-30) - 1 + 30), 0);
  expectClose("the loss", [(await at(7)).loss], [(missed + 0.5 * divergence) / 2], 1e-4);
});

test("upsampling is PyTorch's pixel_shuffle after a convolution, by plain loops", async () => {
  // One layer of a drawer whose convolution is one tap: what it does to the channels is all there is.
  const { permute, reshape } = await import("../../src/index.ts");
  const x = numbers([2, 8, 3, 2], 3);
  await agreeOn(
    engine,
    {
      call: ({ x }) => ({ y: reshape(permute(reshape(x!, [2, 2, 2, 2, 3, 2]), [0, 1, 4, 2, 5, 3]), [2, 2, 6, 4]) }),
      reference: ({ x }) => {
        const data = Float64Array.from({ length: 96 }, (_, i) => {
          const [n, c, h, w] = [Math.floor(i / 48), Math.floor(i / 24) % 2, Math.floor(i / 4) % 6, i % 4];
          const channel = c * 4 + (h % 2) * 2 + (w % 2);
          return x!.data[((n * 8 + channel) * 3 + (h >> 1)) * 2 + (w >> 1)]!;
        });
        return { y: { shape: [2, 2, 6, 4], data } };
      },
    },
    { inputs: { x } },
  );
});

test("in reduced form: what is drawn of a class, a classifier of pictures recognizes", async () => {
  const digits = loadTriDigits();
  const { places } = digits.set("full", 1, 600);
  const random = new Random("drawer");
  const pick = (n: number) => {
    const chosen = Array.from({ length: n }, () => random.choice(places));
    const image = Float32Array.from(chosen.flatMap(({ label, index }) => [...digits.picture(label, index)]));
    return { image, label: Int32Array.from(chosen, ({ label }) => label) };
  };

  const judge = new MultimodalNet(engine, {
    image: { shape: [1, 28, 28], channels: [8, 8] },
    head: { outputs: 10, hidden: 32 },
    seed: 1,
  });
  const learning = adam(judge.parameters(), { lr: 3e-3 });
  for (let i = 0; i < 60; i++) {
    const { image, label } = pick(32);
    await engine.step(() => {
      const loss = judge.loss(judge.forward({ image }), label);
      learning.update(loss.backward());
      return loss;
    });
  }
  const drawer = new ConditionalVae(engine, {
    features: F,
    image: [1, 28, 28],
    noise: 8,
    hidden: 64,
    channels: [12, 8],
  });
  const optimizer = adam(drawer.parameters(), { lr: 3e-3, clipNorm: 100 });
  const losses: number[] = [];
  for (let i = 0; i < 120; i++) {
    const { image, label } = pick(32);
    const loss = await engine.step(() => {
      const loss = drawer.loss(image, featuresOf(label, random));
      optimizer.update(loss.backward());
      return loss;
    });
    losses.push(await loss.item());
  }
  expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!);

  const asked = Int32Array.from({ length: 100 }, (_, n) => n % 10);
  const features = featuresOf(asked, random);
  const { drawn, answers } = await engine.step(() =>
    noGrad(() => {
      const drawn = drawer.draw(features);
      return { drawn, answers: judge.forward({ image: drawn }) };
    }),
  );
  const [images, logits] = [await drawn.data(), (await answers.data()) as Float32Array];
  expect(Array.from(images).every((v) => v >= 0 && v <= 1)).toBe(true);
  const right = asked.filter((label, n) => {
    const row = logits.subarray(10 * n, 10 * n + 10);
    return row.indexOf(Math.max(...row)) === label;
  }).length;
  expect(right).toBeGreaterThanOrEqual(80);
  // Two drawings of one class are not the same one.
  const difference = Array.from({ length: 784 }, (_, i) => Math.abs(images[i]! - images[7840 + i]!));
  expect(Math.max(...difference)).toBeGreaterThan(0.05);

  // Its decoder runs in ONNX Runtime.
  const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof Ort;
  const file = await encodeOnnx(engine, {
    inputs: { features: { shape: ["N", F] }, noise: { shape: ["N", 8] } },
    parameters: drawer.parameters(),
    compute: ({ features, noise }) => ({ image: drawer.draw(features!, noise!) }),
  });
  const noise = Float32Array.from({ length: 800 }, () => random.normal());
  const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
  const there = await session.run({
    features: new ort.Tensor("float32", features, [100, F]),
    noise: new ort.Tensor("float32", noise, [100, 8]),
  });
  const here = await engine.step(() => noGrad(() => drawer.draw(features, noise)));
  expectClose("the export's drawings", there.image!.data as Float32Array, await here.data(), 1e-4);
}, 600_000);

test("options and sizes that do not fit are named", async () => {
  const make = (more: object) => () => new ConditionalVae(engine, { features: 3, image: [1, 8, 8], ...more });
  expect(make({ image: [1, 6, 8] })).toThrow(/image is 1,6,8, expected .* that 4 divides/);
  expect(make({ noise: 0 })).toThrow(/noise is 0/);
  const drawer = make({})();
  await expect(engine.step(() => drawer.draw(new Float32Array(4)))).rejects.toThrow(/features holds 4 numbers/);
  await expect(engine.step(() => drawer.loss(new Float32Array(65), new Float32Array(3)))).rejects.toThrow(
    /image holds 65 numbers, which do not fill \[1, 64\]/,
  );
});
