import { expect, test } from "vitest";
import type { Standing, WorkerEvent } from "../../demo/web/shared/protocol.ts";
import { TaskNetwork } from "../../demo/web/worker/network.ts";
import { TeachingSession } from "../../demo/web/worker/session.ts";
import { type Kept, keptAtStart, type PageStorage } from "../../demo/web/worker/storage.ts";
import type { Task } from "../../demo/web/worker/task.ts";
import { adam } from "../../src/index.ts";
import { encodeSafetensors, MultimodalNet, trainStep, weightsOf } from "../../src/model/index.ts";
import { type FeedbackLog, memoryLog } from "../../src/rl/index.ts";
import { batchOf, picture, type Small } from "../rl/small.ts";
import { useEngine } from "../use-engine.ts";

/* What the worker does with judgements, on a task that is learned in seconds: what is learned, shown, held back and kept. */

const engine = await useEngine({ seed: 5 });

const some = (name: string, from: number, n: number): Small[] =>
  Array.from({ length: n }, (_, i) => ({ id: `${name}${i}`, label: i % 4, image: picture(from + i, i % 4) }));
const questions = some("q", 1000, 400);
const byId = new Map(questions.map((example) => [example.id, example]));
const task: Task<Small> = {
  name: "digits",
  classes: ["a", "b", "c", "d"],
  config: {
    image: { shape: [1, 8, 8], channels: [8] },
    head: { outputs: 4, hidden: 16, dropout: 0.2 },
  },
  labeled: [],
  questions: questions.map(({ id }) => id),
  heldOut: some("h", 5000, 120),
  find: (id) => byId.get(id),
  batchOf: (examples) => ({
    image: batchOf(examples).image!,
    label: Int32Array.from(examples, ({ label }) => label),
  }),
  show: ({ id, label, image }) => ({
    id,
    label,
    picture: { channels: 1, height: 8, width: 8, data: image },
    clean: null,
    sound: null,
    spectrogram: null,
    words: [],
    speaker: null,
  }),
};

/** A network that knows the task. */
const taught = await (async () => {
  const net = new MultimodalNet(engine, { ...task.config, seed: 1 });
  const optimizer = adam(net.parameters(), { lr: 0.01 });
  for (let step = 0; step < 60; step++) await trainStep(net, optimizer, task.batchOf(some("t", 9000 + 32 * step, 32)));
  return encodeSafetensors(await weightsOf(net));
})();

/** A session, and what it keeps and says. */
function open(kept: Kept, log: FeedbackLog = memoryLog()) {
  const said = { kept, standing: null as Standing | null, effects: 0, errors: [] as string[] };
  const storage = {
    async save(_: string, state: Kept) {
      said.kept = structuredClone(state);
    },
  };
  let learning = false;
  const emit = (event: WorkerEvent) => {
    if (event.kind === "learning") learning = event.on;
    if (event.kind === "measured") said.standing = event.standing;
    if (event.kind === "learned") said.effects += event.effects.length;
    if (event.kind === "error") said.errors.push(event.message);
  };
  const session = new TeachingSession<Small>({
    engine,
    task,
    log,
    storage: storage as unknown as PageStorage,
    kept,
    emit,
  });
  /** Judges so many answers, naming the class that is `off` from the right one, and waits until that was learned from. */
  const teach = async (n: number, off: number) => {
    for (let i = 0; i < n; i++) {
      const { answer, shown } = (await session.question())!;
      await session.judge(answer, { reward: null, label: (shown.label! + off) % 4 });
      await expect.poll(() => learning, { timeout: 120_000, interval: 5 }).toBe(false);
    }
  };
  return { session, said, log, teach };
}

const rightOf = ({ accuracy }: Standing) => accuracy.right;
const probabilities = (session: TeachingSession<Small>) => session.predict(task.heldOut.slice(0, 8));

test("what is learned wrong is held back, through a reload, until it is learned right again", async () => {
  const { session, said, log, teach } = open(keptAtStart(taught));
  await session.validateStart();
  const start = said.standing!;
  expect(rightOf(start)).toBeGreaterThan(100);
  for (let n = 0; !said.standing!.held && n < 60; n += 5) await teach(5, 1);
  const { held, accuracy } = said.standing!;
  expect(held!.accuracy.right).toBeLessThan(accuracy.right);
  // What is shown is no worse than it was, and it alone is saved; nothing of what was said is lost.
  expect(accuracy.right).toBeGreaterThan(rightOf(start) - 12);
  expect(await session.weights()).toEqual(said.kept.weights);
  expect(said.kept.learning!.weights).not.toEqual(said.kept.weights);
  const before = await probabilities(session);
  await teach(5, 1);
  expect(await probabilities(session)).toEqual(before);
  expect(said.effects).toBe(session.progress().counts.judged);
  const points = session.progress().heldOut;
  expect(points.at(-1)!.accuracy).toBe(accuracy.right / 120);

  const again = open(said.kept, log);
  expect(again.session.network.standing).toMatchObject({ held: { judgements: log.judgements().length / 2 } });
  expect(await probabilities(again.session)).toEqual(before);
  expect(again.session.progress().counts.waiting).toBe(0);

  // The wrong ones are taken back, as far as they were learned from, and right ones given.
  while (await again.session.undo());
  for (let n = 0; (n === 0 || again.said.standing?.held) && n < 200; n += 10) await again.teach(10, 0);
  expect(again.said.standing!.held).toBeNull();
  expect(rightOf(again.said.standing!)).toBeGreaterThan(rightOf(start) - 12);
  expect(again.said.kept.learning).toBeUndefined();
  expect([...said.errors, ...again.said.errors]).toEqual([]);
});

test("weights of a file answer at once, and nothing is held back any more", async () => {
  const { session, said, teach } = open(keptAtStart(taught));
  await session.validateStart();
  for (let n = 0; !said.standing!.held && n < 60; n += 5) await teach(5, 1);
  await session.useWeights(taught, "taught.safetensors");
  expect(said.standing).toMatchObject({ held: null, progress: null });
  expect(await session.weights()).toEqual(taught);
  expect(said.kept.learning).toBeUndefined();
});

test("what is learned follows from the judgements, not from what happens meanwhile, nor from reloads", async () => {
  const log = memoryLog();
  const taughtBy = open(keptAtStart(taught), log);
  await taughtBy.teach(20, 0);
  const network = (kept: Kept) => new TaskNetwork({ engine, task, log, kept, start: undefined, round: 5 });
  const quiet = network(keptAtStart(taught));
  let busy = network(keptAtStart(taught));
  for (let n = 0; n < 4; n++) {
    expect(quiet.waiting).toBe(20 - 5 * n);
    await quiet.update({ told: false });
    const update = busy.update({ told: true });
    await Promise.all([busy.predict(task.heldOut.slice(n)), busy.validate(), update]);
    busy = network(structuredClone(await busy.keep()));
  }
  const [a, b] = [await quiet.keep(), await busy.keep()];
  const learned = ({ learning, weights }: Kept) => learning?.weights ?? weights;
  expect(learned(a)).toEqual(learned(b));
  expect(learned(a)).not.toEqual(taught);
  expect(quiet.waiting).toBe(0);
  // And the session, which a person judged one by one, learned the same.
  expect(learned(taughtBy.said.kept)).toEqual(learned(a));
});

test("what earlier versions kept is gone on with", async () => {
  const old = { weights: taught, optimizer: undefined, learner: undefined, engineSteps: 7 };
  const history = { updates: [], heldOut: [{ judgements: 12, accuracy: 0.5 }] };
  const { session, said, teach } = open({ ...old, history });
  expect(session.network.standing).toBeNull();
  await session.validateStart();
  expect(said.standing).toMatchObject({ progress: null, held: null, accuracy: { of: 120 } });
  await teach(5, 0);
  expect(said.kept.history.heldOut[0]).toEqual({ judgements: 12, accuracy: 0.5 });
});
