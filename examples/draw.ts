import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { batches, largest, Random } from "handgrad/data";
import { ConditionalVae, MultimodalNet, type Optimizer } from "handgrad/model";
import {
  adam,
  cosine,
  createEngine,
  type Engine,
  loadModel,
  loadSafetensors,
  noGrad,
  replaceFile,
  saveModel,
  saveSafetensors,
  type Tensor,
} from "handgrad/node";
import { PNG } from "pngjs";
import { loadTriDigits } from "../demo/tridigits/load.ts";
import { type TriDigitSet, type TriDigits, triDigitsShape } from "../demo/tridigits/tridigits.ts";

/*
 * Draws digits from what was heard and read. Three networks, each trained in turn and kept in the run's folder, so that
 * the program goes on with the next one where it was stopped:
 *   1. the multimodal network learns to name digits by picture, hint and voice;
 *   2. a drawer (src/model/conditionalVae.ts) learns to draw a digit's picture from the first network's fused features of examples
 *      of that digit that were heard and read, but not seen: the mean over 1, 2, 4, … 64 of them;
 *   3. a classifier, which never meets the others, learns to read clean pictures, and is tested on pictures of its own.
 * Then digits are drawn from features of 64 examples, and from those of one example that was never met in training,
 * and the classifier says how many it recognizes. The last line of output is one JSON line; drawn.png shows drawings.
 *
 *     npm run draw                 # 6,000 labeled examples
 *     npm run draw -- --reduced    # 1,500 of them, and shorter training
 */

const forms = {
  full: { examples: 6000, epochs: 12, features: 3000, drawing: 6000, reading: 1500, drawn: 1000, tests: 1500 },
  reduced: { examples: 1500, epochs: 8, features: 1500, drawing: 1500, reading: 600, drawn: 500, tests: 500 },
  tiny: { examples: 40, epochs: 1, features: 40, drawing: 4, reading: 4, drawn: 20, tests: 20 },
} as const;
type Form = (typeof forms)[keyof typeof forms];

const BATCH = 32;
/** Examples of a class whose features a drawing is made from: 2ⁿ for n up to DOUBLINGS, and the most of them. */
const DOUBLINGS = 6;
const MOST = 2 ** DOUBLINGS;
/** Heard and read, but not seen: the columns of `present` are image, text, audio. */
const UNSEEN = [0, 1, 1];
const { image, bands, classes } = triDigitsShape;
const PIXELS = image[1] * image[2];

const say = (line: string) => void process.stderr.write(`${line}\n`);

/** Steps of training with a learning rate that falls by a cosine; tells the loss ten times. */
async function train(
  engine: Engine,
  name: string,
  steps: number,
  optimizer: Optimizer,
  lossOf: (step: number) => () => Tensor,
): Promise<void> {
  const rate = cosine(optimizer.lr, steps, optimizer.lr / 20);
  for (let step = 0; step < steps; step++) {
    optimizer.lr = rate(step);
    const record = lossOf(step);
    const loss = await engine.step(() => {
      const loss = record();
      optimizer.update(loss.backward());
      return loss;
    });
    if ((step + 1) % Math.max(1, Math.floor(steps / 10)) !== 0) continue;
    const value = await loss.item();
    say(`${name}: step ${step + 1} of ${steps}, loss ${value.toFixed(3)}`);
    if (!Number.isFinite(value)) throw new Error(`${name}: the loss of step ${step + 1} is ${value}.`);
  }
  optimizer.dispose();
}

/** The network that hears and reads (and sees), trained on labels. */
async function namer(engine: Engine, data: TriDigits, set: TriDigitSet, { epochs }: Form, seed: number) {
  const net = new MultimodalNet(engine, {
    image: { shape: image, channels: [8, 16] },
    text: { vocabSize: data.tokenizer.size },
    audio: { features: bands },
    fusion: { kind: "gated" },
    head: { outputs: classes, dropout: 0.2 },
    seed,
    modalityDropout: 0.3,
  });
  const perEpoch = Math.ceil(set.length / BATCH);
  let batch = batches(set, BATCH, new Random("draw", seed, 0));
  await train(engine, "naming", epochs * perEpoch, adam(net.parameters(), { lr: 2e-3, clipNorm: 1 }), (step) => {
    if (step % perEpoch === 0) batch = batches(set, BATCH, new Random("draw", seed, step / perEpoch));
    const { label, ...given } = batch.next().value!;
    return () => net.loss(net.forward(given, { training: true }), label);
  });
  return net;
}

/** Fused features of examples, heard and read but not seen, by label. */
async function featuresOf(net: MultimodalNet, set: TriDigitSet, limit: number): Promise<Float32Array[][]> {
  const byLabel: Float32Array[][] = Array.from({ length: classes }, () => []);
  let met = 0;
  for (const { label, ...batch } of batches(set, 100)) {
    const present = Float32Array.from({ length: 3 * label.length }, (_, i) => UNSEEN[i % 3]!);
    const fused = await net.engine.step(() => noGrad(() => net.fuse(net.encode(batch), present)));
    const rows = (await fused.data()) as Float32Array;
    label.forEach((digit, n) => {
      byLabel[digit]!.push(rows.slice(n * net.fusedSize, (n + 1) * net.fusedSize));
    });
    met += label.length;
    if (met >= limit) break;
  }
  return byLabel;
}

/**
 * Moves and scales features so that the classes' means have mean 0 and deviation 1 in each: what tells digits apart is small
 * beside what all examples have in common, and a drawer would sooner keep the digit in its noise.
 */
function standardizerOf(byLabel: readonly Float32Array[][]): (rows: readonly Float32Array[][]) => Float32Array[][] {
  const means = byLabel.map((rows) =>
    rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length),
  );
  const middle = means[0]!.map((_, d) => means.reduce((sum, m) => sum + m[d]!, 0) / means.length);
  const deviation = middle.map((x, d) => Math.sqrt(means.reduce((sum, m) => sum + (m[d]! - x) ** 2, 0) / means.length));
  const standard = (row: Float32Array) => row.map((x, d) => (x - middle[d]!) / Math.max(deviation[d]!, 1e-3));
  return (rows) => rows.map((of) => of.map(standard));
}

/** The mean of `count` rows drawn from several. */
function meanOf(rows: readonly Float32Array[], count: number, random: Random): Float32Array {
  const sum = new Float32Array(rows[0]!.length);
  for (let i = 0; i < count; i++)
    random.choice(rows).forEach((x, d) => {
      sum[d]! += x / count;
    });
  return sum;
}

const joined = (rows: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(rows.reduce((n, row) => n + row.length, 0));
  let at = 0;
  for (const row of rows) {
    all.set(row, at);
    at += row.length;
  }
  return all;
};

/** How many images a classifier names as labeled. */
async function recognized(reader: MultimodalNet, images: Float32Array, labels: ArrayLike<number>): Promise<number> {
  let right = 0;
  for (let from = 0; from < labels.length; from += 100) {
    const some = images.subarray(from * PIXELS, Math.min(labels.length, from + 100) * PIXELS);
    const logits = await reader.engine.step(() => noGrad(() => reader.forward({ image: some })));
    const rows = (await logits.data()) as Float32Array;
    for (let n = 0; n < rows.length / classes; n++) {
      const row = rows.subarray(n * classes, (n + 1) * classes);
      if (row.indexOf(largest(row)) === labels[from + n]) right += 1;
    }
  }
  return right;
}

/** Ten rows of drawings, a digit each, dark on light, each pixel doubled. */
function sheet(images: Float32Array, columns: number): Buffer {
  const [H, W] = [image[1], image[2]];
  const png = new PNG({ width: 2 * W * columns, height: 2 * H * classes, colorType: 0 });
  for (let y = 0; y < png.height; y++) {
    for (let x = 0; x < png.width; x++) {
      const [row, column] = [Math.floor(y / (2 * H)), Math.floor(x / (2 * W))];
      const at = (column * classes + row) * PIXELS + (Math.floor(y / 2) % H) * W + (Math.floor(x / 2) % W);
      png.data.fill(Math.round(255 * (1 - images[at]!)), 4 * (y * png.width + x), 4 * (y * png.width + x) + 3);
      png.data[4 * (y * png.width + x) + 3] = 255;
    }
  }
  return PNG.sync.write(png, { colorType: 0 });
}

async function main(): Promise<void> {
  const start = performance.now();
  const { values: args } = parseArgs({
    options: {
      reduced: { type: "boolean", default: false },
      tiny: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      out: { type: "string" },
    },
  });
  const name = args.tiny ? "tiny" : args.reduced ? "reduced" : "full";
  const [form, seed] = [forms[name], Number(args.seed)];
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed is ${args.seed}, expected a whole number.`);
  const out = args.out ?? join("runs", `draw-${name}-seed${seed}`);
  mkdirSync(out, { recursive: true });
  const data = loadTriDigits();
  const engine = await createEngine({ seed });
  say(`form: ${name}; device: ${engine.adapter}; folder: ${out}`);
  const training = data.set("full", seed, form.examples);

  const netFile = join(out, "namer.safetensors");
  let net: MultimodalNet;
  if (existsSync(netFile)) net = await loadModel(engine, netFile);
  else {
    net = await namer(engine, data, training, form, seed);
    await saveModel(net, netFile);
  }
  const raw = await featuresOf(net, training, form.features);
  const standardized = standardizerOf(raw);
  const known = standardized(raw);

  const random = new Random("draw", seed, "drawer");
  const drawer = new ConditionalVae(engine, { features: net.fusedSize, image, seed });
  const drawerFile = join(out, "drawer.safetensors");
  engine.stepCount = 1e6;
  if (existsSync(drawerFile)) await loadSafetensors(drawer, drawerFile);
  else {
    await train(engine, "drawing", form.drawing, adam(drawer.parameters(), { lr: 2e-3, clipNorm: 100 }), () => {
      const places = Array.from({ length: BATCH }, () => random.choice(training.places));
      const pictures = joined(places.map(({ label, index }) => data.picture(label, index)));
      const given = joined(
        places.map(({ label }) => meanOf(known[label]!, 2 ** random.integer(DOUBLINGS + 1), random)),
      );
      return () => drawer.loss(pictures, given);
    });
    await saveSafetensors(drawer, drawerFile, { config: JSON.stringify(drawer.config) });
  }

  const readerFile = join(out, "reader.safetensors");
  let reader: MultimodalNet;
  if (existsSync(readerFile)) reader = await loadModel(engine, readerFile);
  else {
    reader = new MultimodalNet(engine, {
      image: { shape: image, channels: [8, 16] },
      head: { outputs: classes, dropout: 0.2 },
      seed,
    });
    const order = new Random("draw", seed, "reader");
    await train(engine, "reading", form.reading, adam(reader.parameters(), { lr: 2e-3, clipNorm: 1 }), () => {
      const places = Array.from({ length: BATCH }, () => order.choice(training.places));
      const pictures = joined(places.map(({ label, index }) => data.picture(label, index)));
      return () =>
        reader.loss(
          reader.forward({ image: pictures }, { training: true }),
          Int32Array.from(places, (p) => p.label),
        );
    });
    await saveModel(reader, readerFile);
  }

  const unmet = data.set("test-seen", seed, form.tests);
  const clean = joined(unmet.places.map(({ label, index }) => data.picture(label, index)));
  const readerRight = await recognized(
    reader,
    clean,
    unmet.places.map(({ label }) => label),
  );

  engine.stepCount = 2e6;
  const draw = async (features: readonly Float32Array[]): Promise<Float32Array> => {
    const parts: Float32Array[] = [];
    for (let from = 0; from < features.length; from += 100) {
      const given = joined(features.slice(from, from + 100));
      const images = await engine.step(() => noGrad(() => drawer.draw(given)));
      parts.push((await images.data()) as Float32Array);
    }
    return joined(parts);
  };
  const choice = new Random("draw", seed, "choice");
  const asked = Array.from({ length: form.drawn }, (_, n) => n % classes);
  const drawings = await draw(asked.map((digit) => meanOf(known[digit]!, MOST, choice)));
  const right = await recognized(reader, drawings, asked);
  // And of single examples that none of the networks has met.
  const heard = standardized(await featuresOf(net, unmet, form.tests));
  const single = heard.flatMap((rows, digit) => rows.map((row) => ({ row, digit })));
  const one = await draw(single.map(({ row }) => row));
  const rightOne = await recognized(
    reader,
    one,
    single.map(({ digit }) => digit),
  );

  const columns = Math.min(10, Math.floor(form.drawn / classes));
  const picture = join(out, "drawn.png");
  await replaceFile(picture, sheet(drawings, columns));
  say(
    `drawn from ${MOST} examples of a digit: ${right} of ${form.drawn} recognized; from one unmet example, heard and read: ${rightOne} of ${single.length}`,
  );
  say(
    `the classifier reads ${readerRight} of ${unmet.length} real pictures that it has not met; drawings: ${picture} (${readFileSync(picture).length} bytes)`,
  );
  const result = {
    task: "draw a digit from the fused features of examples that were heard and read",
    form: name,
    seed,
    recognized: right / form.drawn,
    recognizedOfOne: rightOne / single.length,
    readerAccuracy: readerRight / unmet.length,
    drawn: form.drawn,
    adapter: engine.adapter,
    seconds: (performance.now() - start) / 1000,
    folder: out,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  engine.destroy();
}

main().catch((error) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
