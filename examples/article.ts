import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Random } from "handgrad/data";
import {
  accuracy,
  auc,
  confusionMatrix,
  evaluate,
  f1,
  fit,
  type LabeledBatch,
  type MultimodalConfig,
  MultimodalNet,
  trainEpoch,
} from "handgrad/model";
import {
  adam,
  concat,
  cosine,
  createEngine,
  type Engine,
  folderStore,
  loadModel,
  openFeedbackLog,
  saveModel,
} from "handgrad/node";
import { learner, type Policy, simulatedPerson } from "handgrad/rl";
import { loadTriDigits } from "../demo/tridigits/load.ts";
import { Preparation, type Prepared, type PreparedSet, VOCABULARY } from "./article/data.ts";
import { differences, type Form, type FormName, forms } from "./article/forms.ts";

/*
 * The article's program: a network over a picture of 224 × 224 × 3, 100 words of a vocabulary of 10,000 and a second of
 * sound at 44,100 Hz answers yes or no. It is trained with a validation split, evaluated, saved, loaded and evaluated
 * again; then it learns from a person's judgements of its answers.
 *
 *     npm run article                # the article's sizes; on a software device that takes an hour or so, which it says first
 *     npm run article -- --reduced   # what a software device does in minutes
 */

const TASK = "is the digit five or more?";
const BATCH = 32;
/** Answers judged between two updates, and training steps in an update. */
const ROUND = 20;
const REPLAYS = 9;
const FEEDBACK_LR = 3e-4;

const { values: args } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    reduced: { type: "boolean", default: false },
    tiny: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    out: { type: "string" },
  },
});
const say = (line: string) => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const start = performance.now();
  const name: FormName = args.tiny ? "tiny" : args.reduced ? "reduced" : "full";
  const [form, seed] = [forms[name], Number(args.seed)];
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed is ${args.seed}, expected a whole number.`);
  const out = args.out ?? freeName(join("runs", `article-${name}`));
  if (existsSync(out)) throw new Error(`${out} is there already. Name another folder with --out.`);

  say(`task: ${TASK} A noisy picture, a written hint and a spoken word say which digit it is (TriDigits).`);
  say(`form: ${name}${name === "full" ? ", the article's sizes" : `; ${differences(form).join("; ")}`}`);

  const digits = loadTriDigits();
  const labeled = digits.set("full", seed, form.training);
  const preparation = new Preparation(
    form,
    [...labeled].map(({ hint }) => hint),
  );
  const sets = {
    training: preparation.set(labeled),
    validation: preparation.set(digits.set("validation", seed, form.validation)),
    // Voices that were never heard, and voices that were.
    test: preparation.set(digits.set("test-unseen", seed, form.test)),
    met: preparation.set(digits.set("test-seen", seed, form.test)),
  };

  const engine = await createEngine({ seed });
  say(`device: ${engine.adapter}`);
  const config: MultimodalConfig = {
    image: { shape: [3, form.side, form.side], channels: form.channels },
    text: { vocabSize: VOCABULARY, embeddingDim: 64 },
    audio: { features: form.bands, hidden: 64 },
    head: { task: "binary", hidden: 128, dropout: 0.3 },
    modalityDropout: 0.1,
  };
  const stepMs = await timeOfStep(engine, config, preparation.batchOf(some(sets.training, BATCH)));
  const steps = form.epochs * Math.ceil(form.training / BATCH) + (form.judgements / ROUND) * REPLAYS;
  say(
    `a training step of ${BATCH} takes ${Math.round(stepMs)} ms here: about ${minutes(stepMs * steps)} for at most ${steps} steps`,
  );

  mkdirSync(out, { recursive: true });
  const net = new MultimodalNet(engine, { ...config, seed });
  const optimizer = adam(net.parameters(), { lr: 1e-3, clipNorm: 1 });
  const data = { batch: BATCH, collate: preparation.batchOf };
  const total = form.epochs * Math.ceil(form.training / BATCH);
  const { history, best } = await fit<LabeledBatch, Prepared>(net, sets.training, {
    ...data,
    seed,
    optimizer,
    epochs: form.epochs,
    schedule: cosine(1.5e-3, total, 1e-4),
    validation: sets.validation,
    metrics: { accuracy, auc },
    earlyStopping: { patience: 3 },
    checkpoint: folderStore(out),
    progress: say,
  });
  say(`the weights of epoch ${best?.epoch} are kept: validation loss ${best?.value.toFixed(4)}`);

  const metrics = { accuracy, auc, f1: f1() };
  const test = async (net: MultimodalNet, set: PreparedSet = sets.test) =>
    evaluate<LabeledBatch, Prepared>(net, set, { ...data, metrics });
  const before = await test(net);
  say(`test loss: ${before.loss.toFixed(4)}`);
  say(`test accuracy: ${percent(before.metrics.accuracy!)}`);
  say(`said no, yes where it was no, yes: ${JSON.stringify(confusionMatrix(before.predictions))}`);

  const file = join(out, "model.safetensors");
  await saveModel(net, file);
  const loaded = await test(await loadModel(engine, file));
  if (loaded.loss !== before.loss || loaded.metrics.accuracy !== before.metrics.accuracy)
    throw new Error(`loaded from ${file} the loss is ${loaded.loss}, expected ${before.loss} as before it was saved.`);
  say(`saved to ${file} and loaded again: the same loss and accuracy`);

  const rewards = await learnFromPerson(net, optimizer, preparation, {
    form,
    seed,
    labeled: sets.training,
    // Pictures that training has not seen.
    stream: digits.set("stream", seed),
    from: Math.ceil(form.training / 10),
    log: join(out, "feedback.jsonl"),
  });
  const after = await test(net);
  say(
    `after ${form.judgements} judgements: test loss ${after.loss.toFixed(4)}, test accuracy ${percent(after.metrics.accuracy!)}`,
  );
  await saveModel(net, join(out, "taught.safetensors"));

  const met = await test(net, sets.met);
  const result = {
    task: TASK,
    form: name,
    testLoss: before.loss,
    testAccuracy: before.metrics.accuracy,
    afterFeedback: after.metrics.accuracy,
    afterFeedbackLoss: after.loss,
    testAuc: before.metrics.auc,
    testF1: before.metrics.f1,
    voicesMet: { afterFeedback: met.metrics.accuracy, loss: met.loss },
    loadedAgain: { testLoss: loaded.loss, testAccuracy: loaded.metrics.accuracy },
    judgements: form.judgements,
    judgedRight: { first: rewards[0], last: rewards.at(-1) },
    epochs: history.length,
    bestEpoch: best?.epoch,
    parameters: net.size,
    sizes: { ...form, tokens: 100, vocabulary: VOCABULARY, words: 64, frames: preparation.frames, batch: BATCH },
    stepMs: Math.round(stepMs),
    seconds: Math.round((performance.now() - start) / 1000),
    adapter: engine.adapter,
    seed,
    out,
  };
  engine.destroy();
  if (args.json) console.log(JSON.stringify(result));
}

/** Milliseconds of a training step, on a network of its own: the first two make pipelines and buffers. */
async function timeOfStep(engine: Engine, config: MultimodalConfig, batch: LabeledBatch): Promise<number> {
  const net = new MultimodalNet(engine, config);
  const optimizer = adam(net.parameters(), { lr: 1e-3, clipNorm: 1 });
  const train = (steps: number) => trainEpoch(net, optimizer, Array<LabeledBatch>(steps).fill(batch));
  await train(2);
  const start = performance.now();
  await train(2);
  const milliseconds = (performance.now() - start) / 2;
  optimizer.dispose();
  for (const p of Object.values(net.parameters())) p.dispose();
  // What follows is the same, whatever was tried before.
  engine.stepCount = 0;
  return milliseconds;
}

/**
 * A simulated person, who is never mistaken, says right or wrong to answers about examples without labels. The policy
 * is the network's sigmoid: it answers yes with the probability σ(z). Gives the share of right answers of each round.
 */
async function learnFromPerson(
  net: MultimodalNet,
  optimizer: ReturnType<typeof adam>,
  preparation: Preparation,
  {
    form,
    seed,
    labeled,
    stream,
    from,
    log: path,
  }: {
    form: Form;
    seed: number;
    labeled: PreparedSet;
    stream: ReturnType<ReturnType<typeof loadTriDigits>["set"]>;
    from: number;
    log: string;
  },
): Promise<number[]> {
  const unseen = stream.places.flatMap(({ index }, i) => (index >= from ? [i] : []));
  const asked = preparation.set(stream, new Random("questions", seed).shuffle(unseen).slice(0, form.judgements));
  const log = await openFeedbackLog(path, { onNotice: say });
  const agent = learner<Prepared>(twoActions(net), optimizer, {
    log,
    seed,
    session: `seed-${seed}`,
    stepsPerUpdate: REPLAYS,
    // There are many more labels than judgements, and nothing that nobody said anything about.
    mixture: [22, 10, 0],
    batchOf: preparation.batchOf,
    labeled: some(labeled, labeled.length),
  });
  const person = simulatedPerson({ seed });
  const rewards: number[] = [];
  for (let at = 0; at < asked.length; at += ROUND) {
    const questions = Array.from({ length: Math.min(ROUND, asked.length - at) }, (_, i) => asked.at(at + i));
    let right = 0;
    for (const [i, answer] of (await agent.actOn(questions)).entries()) {
      const said = person.judge(questions[i]!, answer.action);
      const reward = "reward" in said ? said.reward : null;
      if (reward === 1) right += 1;
      await agent.judge(answer.id, { reward, judge: person.name });
    }
    // It falls to nothing, so that the last judgements are weighed against all others.
    optimizer.lr = FEEDBACK_LR * (1 - at / asked.length);
    await agent.update();
    rewards.push(right / questions.length);
  }
  await log.close();
  return rewards;
}

/** A yes-or-no network as a policy of two actions: of logits [0, z] softmax gives 1 − σ(z) and σ(z). */
function twoActions(net: MultimodalNet): Policy {
  const { engine } = net;
  return {
    engine,
    numOutputs: 2,
    modalities: net.modalities,
    batchSize: BATCH,
    parameters: () => net.parameters(),
    forward(batch, options) {
      const z = net.forward(batch, options);
      const N = z.shape[0]!;
      return concat([engine.tensor(new Float32Array(N), [N, 1]), z], { axis: 1 });
    },
  };
}

const some = (set: PreparedSet, n: number) => Array.from({ length: Math.min(n, set.length) }, (_, i) => set.at(i));

function freeName(stem: string): string {
  for (let i = 1; ; i++) {
    const name = i === 1 ? stem : `${stem}-${i}`;
    if (!existsSync(name)) return name;
  }
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const minutes = (ms: number) =>
  ms < 90_000 ? `${Math.round(ms / 1000)} seconds` : `${Math.round(ms / 60_000)} minutes`;

await main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
