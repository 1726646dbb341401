import fc from "fast-check";
import { expect, test } from "vitest";
import { add, type Engine, mul, reshape, sgd, sub, sum, type Tensor } from "../../src/index.ts";
import { runCase } from "../harness.ts";
import { useEngine } from "../use-engine.ts";

/*
 * Any sequence of making, viewing, computing, learning, failing, reading and disposing gives what a model in float64 gives.
 * All numbers are whole or a few halvings of whole ones, which f32 holds exactly, so that equal means equal.
 */

/** One act, on whichever of the things that there are: `a`, `b` and `c` choose among them. */
interface Act {
  readonly what: (typeof ACTS)[number];
  readonly a: number;
  readonly b: number;
  readonly c: number;
}
const ACTS = [
  "parameter",
  "parameter",
  "tensor",
  "compute",
  "view",
  "dispose",
  "optimizer",
  "optimizer",
  "doubled",
  "learn",
  "learn",
  "learn",
  "learn without waiting",
  "fail",
  "read",
  "dispose optimizer",
] as const;

const act = fc.record({
  what: fc.constantFrom(...ACTS),
  a: fc.nat(63),
  b: fc.nat(63),
  c: fc.nat(63),
});

/** What a tensor's memory should hold; views share it. */
interface Memory {
  numbers: number[];
}
interface Thing {
  readonly tensor: Tensor;
  readonly memory: Memory;
  readonly isParameter: boolean;
}
interface Learner {
  readonly optimizer: ReturnType<typeof sgd>;
  readonly of: readonly Thing[];
  readonly momentum: number;
  readonly velocity: Map<Memory, number[]>;
}

/** The engine and the model beside it. */
class World {
  things: Thing[] = [];
  learners: Learner[] = [];
  pending: Promise<unknown>[] = [];

  constructor(readonly engine: Engine) {}

  async do({ what, a, b, c }: Act): Promise<void> {
    if (what !== "read" && what !== "learn" && what !== "learn without waiting") await this.settle();
    const thing = this.things[a % Math.max(1, this.things.length)];
    const learner = this.learners[a % Math.max(1, this.learners.length)];
    if (what === "parameter" || what === "tensor") this.make(what === "parameter", 1 + (a % 6), b);
    else if (what === "compute" && thing) await this.compute(thing, b, c);
    else if (what === "view" && thing) await this.view(thing);
    else if (what === "dispose" && thing) await this.dispose(thing);
    else if (what === "optimizer") this.optimizer(a, b, c);
    else if (what === "doubled") this.doubled();
    else if (what === "learn" && learner) await this.learn(learner, b, c);
    else if (what === "learn without waiting" && learner) this.pending.push(this.learn(learner, b, c));
    else if (what === "fail" && learner) await this.fail(learner, b);
    else if (what === "read" && thing) await this.read(thing);
    else if (what === "dispose optimizer" && learner) this.drop(learner);
  }

  make(isParameter: boolean, n: number, seed: number): void {
    const numbers = Array.from({ length: n }, (_, i) => ((seed * 7 + i * 5) % 9) - 4);
    const tensor = isParameter ? this.engine.parameter(numbers) : this.engine.tensor(numbers);
    this.things.push({ tensor, memory: { numbers }, isParameter });
  }

  async compute(x: Thing, b: number, c: number): Promise<void> {
    const alike = this.things.filter(({ memory }) => memory.numbers.length === x.memory.numbers.length);
    const y = alike[b % alike.length]!;
    const [op, of] = c % 2 === 0 ? [add, (p: number, q: number) => p + q] : [sub, (p: number, q: number) => p - q];
    const n = x.memory.numbers.length;
    const tensor = await this.engine.step(() => op(reshape(x.tensor, [n]), reshape(y.tensor, [n])));
    const numbers = x.memory.numbers.map((p, i) => of(p, y.memory.numbers[i]!));
    this.things.push({ tensor, memory: { numbers }, isParameter: false });
  }

  async view(of: Thing): Promise<void> {
    const tensor = await this.engine.step(() => reshape(of.tensor, [of.memory.numbers.length, 1]));
    this.things.push({ tensor, memory: of.memory, isParameter: false });
  }

  async dispose(thing: Thing): Promise<void> {
    thing.tensor.dispose();
    thing.tensor.dispose();
    this.things = this.things.filter((other) => other !== thing);
    for (const learner of this.learners.filter(({ of }) => of.includes(thing))) this.drop(learner);
    await expect(thing.tensor.data()).rejects.toThrow("disposed");
  }

  /** Over any parameters in any order, whoever learns them already. */
  optimizer(a: number, b: number, c: number): void {
    const of = this.things.filter(({ isParameter }, i) => isParameter && (a >> (i % 6)) % 2 === 1);
    if (b % 2 === 0) of.reverse();
    const momentum = c % 2 === 0 ? 0.5 : 0;
    const make = () =>
      sgd(
        of.map(({ tensor }) => tensor),
        { lr: 0.25, momentum },
      );
    if (of.length === 0) expect(make).toThrow("no parameters");
    else this.learners.push({ optimizer: make(), of, momentum, velocity: new Map() });
  }

  doubled(): void {
    const parameter = this.things.find(({ isParameter }) => isParameter);
    if (!parameter) return;
    expect(() => sgd([parameter.tensor, parameter.tensor], { lr: 1 })).toThrow(/listed before/);
  }

  /** The sum of some of a learner's parameters, each times whole numbers; its gradients are those numbers. */
  loss(learner: Learner, b: number, c: number): { some: Thing[]; factors: number[][]; record: () => Tensor } {
    const some = learner.of.filter((_, i) => i === b % learner.of.length || (c >> (i % 6)) % 2 === 1);
    const factors = some.map(({ memory }, i) => memory.numbers.map((_, k) => ((b + 3 * i + k) % 5) - 2));
    const record = () => {
      const parts = some.map(({ tensor }, i) => sum(mul(tensor, this.engine.tensor(factors[i]!, tensor.shape))));
      return parts.reduce((x, y) => add(x, y));
    };
    return { some, factors, record };
  }

  learn(learner: Learner, b: number, c: number): Promise<void> {
    const { some, factors, record } = this.loss(learner, b, c);
    let expected = 0;
    some.forEach(({ memory }, i) => {
      memory.numbers.forEach((p, k) => {
        expected += p * factors[i]![k]!;
      });
    });
    some.forEach(({ memory }, i) => {
      const before = learner.velocity.get(memory) ?? memory.numbers.map(() => 0);
      const velocity = before.map((m, k) => learner.momentum * m + factors[i]![k]!);
      learner.velocity.set(memory, velocity);
      memory.numbers = memory.numbers.map((p, k) => p - 0.25 * velocity[k]!);
    });
    const step = this.engine.step(() => {
      const loss = record();
      learner.optimizer.update(loss.backward());
      return loss;
    });
    return step.then(async (loss) => {
      expect(await loss.item()).toBe(expected);
      loss.dispose();
    });
  }

  /** A step that fails after its update was recorded changes nothing. */
  async fail(learner: Learner, b: number): Promise<void> {
    const { record } = this.loss(learner, b, 0);
    const step = this.engine.step(() => {
      learner.optimizer.update(record().backward());
      throw new Error("on purpose");
    });
    await expect(step).rejects.toThrow("on purpose");
  }

  async read({ tensor, memory }: Thing): Promise<void> {
    // What is asked for now sees what was asked for before, and nothing that is asked for later.
    const expected = memory.numbers.map((p) => p + 0);
    expect([...(await tensor.data())].map((p) => p + 0)).toEqual(expected);
  }

  drop(learner: Learner): void {
    learner.optimizer.dispose();
    this.learners = this.learners.filter((other) => other !== learner);
  }

  async settle(): Promise<void> {
    await Promise.all(this.pending);
    this.pending = [];
  }

  async end(): Promise<void> {
    await this.settle();
    for (const thing of this.things) await this.read(thing);
    for (const learner of [...this.learners]) this.drop(learner);
    for (const { tensor } of this.things) tensor.dispose();
  }
}

const SEQUENCES = Number(process.env.HANDGRAD_SEQUENCES ?? 1000);

const engine = await useEngine();

test(`${SEQUENCES} sequences of acts on an engine give what the model gives, and give their memory back`, async () => {
  const bytes: number[] = [];
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 20 }), (acts) =>
      runCase(engine, {
        name: "a sequence",
        async run() {
          const world = new World(engine);
          for (const one of acts) await world.do(one);
          await world.end();
          bytes.push(engine.stats().bytes);
        },
      }),
    ),
    { numRuns: SEQUENCES, seed: 1, endOnFailure: false },
  );
  // What is kept for reuse may grow until it fits all shapes there are, and then no more.
  expect(bytes.at(-1)!).toBeLessThanOrEqual(bytes[Math.floor(SEQUENCES / 2)]! + 2 ** 20);
});
