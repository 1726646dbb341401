import fc from "fast-check";
import { expect, it } from "vitest";
import type { Engine } from "../../src/index.ts";
import { Optimizer } from "../../src/optim/index.ts";
import {
  type Answer,
  type FeedbackLog,
  type FeedbackRecord,
  type Judgement,
  type LearnerState,
  learner,
  memoryLog,
  mergeLogs,
  type Policy,
} from "../../src/rl/index.ts";

/*
 * Any sequence of what can happen to judgements, beside a plain model that says what must count. The network answers by a
 * table and REINFORCE's one step is left out, so no device is needed: what is held here is what is stored, what counts, and
 * what an update takes for new.
 */
const SEQUENCES = Number(process.env.HANDGRAD_SEQUENCES ?? 1000);

/** Names that an object used as a dictionary would stumble over, and such as run into one another in ids. */
const EXAMPLES = ["e", "e b", "constructor", "__proto__"];
const JUDGES = ["a", "b", "b #2", "__proto__"];

/** A network that answers all alike, and is taught nothing: what a rule asks of it in an update is only looked at. */
function tablePolicy(teach: () => void): Policy {
  const numbers = (data: Float32Array) => ({ data: async () => data, dispose: () => {}, shape: [data.length] });
  const taught = { item: async () => 0 };
  let training = false;
  const step = async (f: () => unknown) => {
    training = false;
    try {
      return f();
    } catch (error) {
      if (!training) throw error;
      teach();
      return taught;
    }
  };
  return {
    engine: { step } as unknown as Engine,
    numOutputs: 2,
    parameters: () => ({ w: numbers(Float32Array.of(1)) }),
    forward: ({ n }: { n: number }, options?: { training?: boolean }) => {
      training = options?.training === true;
      if (training) throw new Error("the end of what is looked at");
      return numbers(new Float32Array(2 * n));
    },
  } as unknown as Policy;
}

type Action =
  | { do: "act"; example: number; evaluation: boolean }
  | { do: "judge"; answer: number; judge: number; reward: number | null }
  | { do: "judgeTwice"; answer: number; judge: number }
  | { do: "undo"; judge: number | undefined }
  | { do: "update" | "updateTwice" | "updateFailing" | "reload" | "merge" };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("act" as const), example: fc.nat(3), evaluation: fc.boolean() }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("judge" as const),
      answer: fc.nat(20),
      judge: fc.nat(3),
      reward: fc.constantFrom(1, -1, 0.25, null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("judgeTwice" as const), answer: fc.nat(20), judge: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("undo" as const), judge: fc.constantFrom(undefined, 0, 1, 2, 3) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "update" as const,
        "updateTwice" as const,
        "updateFailing" as const,
        "reload" as const,
        "merge" as const,
      ),
    }),
  },
);

/** What must count: a line for each verdict that was acknowledged, in that order. */
interface Line {
  answer: string;
  judge: string;
  reward: number | null;
  evaluation: boolean;
  standing: boolean;
  learned: boolean;
}

async function play(actions: readonly Action[]): Promise<void> {
  const book: Line[] = [];
  const evaluations = new Map<string, boolean>();
  let fails = false;
  let log: FeedbackLog = memoryLog();
  let run = 0;
  const begin = (state?: LearnerState) => {
    const options = {
      log,
      method: "reinforce" as const,
      session: `s${run++}`,
      batchOf: (some: readonly { id: string }[]) => ({ n: some.length }) as object,
      find: (id: string) => ({ id }),
    };
    const teach = () => {
      if (fails) throw new Error("the device has other plans");
    };
    const agent = learner(tablePolicy(teach), Object.create(Optimizer.prototype) as Optimizer, options);
    if (state) agent.restore(JSON.parse(JSON.stringify(state)));
    return agent;
  };
  let agent = begin();
  /** Those of this run, and those of earlier ones that the log knows. */
  let answers: Pick<Answer, "id">[] = [];

  const counts = () => book.filter((line) => line.standing);
  const fresh = () => counts().filter((line) => line.reward !== null && !line.evaluation && !line.learned);
  const judge = (answer: string, judge: string, reward: number | null) =>
    agent.judge(answer, { reward, judge }).then(() => {
      book.push({ answer, judge, reward, evaluation: evaluations.get(answer)!, standing: true, learned: false });
    });
  const update = async () => {
    const expected = fresh();
    const { judgements, reward } = await agent.update();
    expect(judgements).toBe(expected.length);
    const sum = expected.reduce((total, line) => total + line.reward!, 0);
    expect(reward * judgements).toBeCloseTo(sum, 9);
    for (const line of expected) line.learned = true;
  };
  const reload = (records: readonly FeedbackRecord[]) => {
    const state = agent.state();
    log = memoryLog(JSON.parse(JSON.stringify(records)));
    agent = begin(state);
    answers = answers.filter(({ id }) => book.some((line) => line.answer === id));
  };

  for (const one of actions) {
    if (one.do === "act") {
      const purpose = one.evaluation ? ("evaluation" as const) : ("training" as const);
      const answer = await agent.act({ id: EXAMPLES[one.example]! }, { purpose });
      expect(evaluations.has(answer.id)).toBe(false);
      evaluations.set(answer.id, one.evaluation);
      answers.push(answer);
    } else if (one.do === "judge" || one.do === "judgeTwice") {
      if (answers.length === 0) continue;
      const { id } = answers[one.answer % answers.length]!;
      const who = JUDGES[one.judge]!;
      const has = counts().some((line) => line.answer === id && line.judge === who);
      const tries = one.do === "judge" ? [judge(id, who, one.reward)] : [judge(id, who, 1), judge(id, who, -1)];
      const stored = (await Promise.allSettled(tries)).filter(({ status }) => status === "fulfilled").length;
      expect(stored).toBe(has ? 0 : 1);
    } else if (one.do === "undo") {
      const who = one.judge === undefined ? undefined : JUDGES[one.judge];
      const last = counts().findLast((line) => who === undefined || line.judge === who);
      const undone = (await log.undo(who)) as Judgement | undefined;
      expect(undone && [undone.judge, undone.reward]).toEqual(last && [last.judge, last.reward]);
      if (last) last.standing = false;
    } else if (one.do === "update") await update();
    else if (one.do === "updateTwice") {
      const expected = fresh();
      const both = await Promise.all([agent.update(), agent.update()]);
      expect(both.map(({ judgements }) => judgements)).toEqual([expected.length, 0]);
      for (const line of expected) line.learned = true;
    } else if (one.do === "updateFailing") {
      const before = agent.state();
      fails = true;
      // Where nothing is new there is nothing that could fail.
      if (fresh().length === 0) await update();
      else {
        await expect(agent.update()).rejects.toThrow(/other plans/);
        expect(agent.state()).toEqual(before);
      }
      fails = false;
    } else if (one.do === "reload") reload(log.records());
    else {
      const half = Math.ceil(log.records().length / 2);
      const older = log.records().slice(0, half);
      const { records, conflicts } = mergeLogs([
        { name: "whole", records: log.records() },
        { name: "older", records: older },
      ]);
      expect(conflicts).toEqual([]);
      reload(records);
    }
    // The books are balanced: what counts in the log is what the model says, in its order, each id once.
    expect(log.judgements().map((j) => [j.judge, j.reward])).toEqual(counts().map((line) => [line.judge, line.reward]));
    expect(new Set(log.records().map(({ id }) => id)).size).toBe(log.records().length);
    expect(agent.waiting).toBe(fresh().length);
    expect(agent.state().learned).toBe(book.filter((line) => line.learned).length);
  }
  await update();
  expect(agent.waiting).toBe(0);
}

it(`whatever is judged, taken back, corrected, learned from, reloaded and merged, the books are balanced (${SEQUENCES} sequences)`, async () => {
  await fc.assert(fc.asyncProperty(fc.array(action, { maxLength: 40 }), play), { numRuns: SEQUENCES });
}, 600_000);
