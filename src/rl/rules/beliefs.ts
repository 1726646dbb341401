import { klDivergence, logSoftmax, mul } from "../../autograd/index.ts";
import type { Random } from "../../data/random.ts";
import { type Modality, modalities } from "../../model/index.ts";
import { byExample } from "./baseline.ts";
import { leastConfirmed } from "./confirmed.ts";
import { noiseOf, probabilitiesOf, replay } from "./replay.ts";
import { type Lesson, type Memory, only, type Policy, type Pool, type Rule } from "./rule.ts";

/*
 * Learning from what is believed about each example's label y, judged or not. Given the label, the parts of an example
 * know nothing of each other: how the digit is written says nothing about which hint was chosen for it. So
 *   q(y) ∝ π(y | rest) · h(y | hint) · Π_j P(verdict_j | y)
 * where π is the network without the hint, h counts how often examples with word for word the same hint were which label
 * (labels count 1, judged examples what is believed of them, plus a prior of `prior` in all), and a verdict "right" of
 * answer a has the likelihood 1 − ε where y = a and ε elsewhere, "wrong" the other way round; ε is the share of mistaken
 * judgements. The network, with all that it is given, then learns q by
 *   loss = −1/N Σ_i Σ_y q_i(y) log π(y | x_i).
 *
 * This is expectation maximisation with two views (Dempster, Laird & Rubin 1977; co-training, Blum & Mitchell 1998;
 * co-EM, Nigam & Ghani 2000). What it gains is the stream: thousands of examples that nobody judged, of which hint and
 * picture together often leave little doubt, teach the network what neither of a few hundred judgements would.
 *
 * A network that is mostly wrong would teach itself its mistakes. Until it can be trusted (`isTrusted`) what people said
 * is all that counts: it learns by the likelihood of their verdicts (`replay.ts`), which needs no beliefs.
 */

export interface BeliefsSettings {
  /** Steps in an update, and examples in each. */
  replays: number;
  batch: number;
  /** Parts of a batch: labelled, judged and unlabelled examples. What there is none of is left to the others. */
  mixture: readonly [labelled: number, judged: number, unlabelled: number];
  /** Unlabelled examples that are looked at in an update. */
  scanned: number;
  /** Weight of the prior of h, in examples. */
  prior: number;
  /** How often an example is shown in training with all its modalities, without the hint, and with one of the rest alone. */
  shown: readonly [all: number, rest: number, single: number];
  /** ε; "estimated": by the log itself. */
  noise: number | "estimated";
  /** The share that must be known to be right, of labels and latest answers, for the network to be trusted. */
  trust: number;
}
export const beliefsDefaults: BeliefsSettings = {
  replays: 24,
  batch: 32,
  mixture: [6, 10, 16],
  scanned: 300,
  prior: 1,
  shown: [0.5, 0.3, 0.2],
  noise: "estimated",
  trust: 0.7,
};
/** Judgements that trust is decided by, and the least that each label must have been confirmed, as a part of the mean. */
const LATEST = 100;
const CONFIRMED = 0.1;
/** ε until then: what a network says that is mostly wrong tells nothing of those who judge it. */
const NOISE = 0.05;

/** A part of examples that comes again word for word, such as a hint, and the modalities that are the rest of it. */
export interface Recurring<E> {
  key: (example: E) => string;
  rest: readonly Modality[];
}

/** What is believed of an example's label: q [A], summing to 1. */
export type Belief = readonly number[];

interface Row<E> {
  readonly example: E;
  readonly belief: Belief;
}

/** @see the head of this file. Without `recurring` there is no h, and π sees the whole example. */
export function beliefs<E extends { readonly id: string }>(
  settings: BeliefsSettings,
  recurring: Recurring<E> | undefined,
): Rule<E> {
  let memory: Hints | undefined;
  const doubted = replay<E>({ ...settings, noise: settings.noise === "estimated" ? NOISE : settings.noise });
  const rest = recurring?.rest ?? modalities;

  /** Labelled, judged and unlabelled examples, with what is believed of each. */
  async function believe(lesson: Lesson<E>): Promise<Row<E>[][]> {
    const { policy, judged, labelled, unlabelled, random } = lesson;
    const { classes } = policy.config;
    const verdicts = byExample(judged);
    const told = [...verdicts.values()].map((all) => all[0]!.example);
    const untold = draw(unlabelled, settings.scanned, random("scanned")).filter(({ id }) => !verdicts.has(id));
    const seen = await see(lesson, [...told, ...untold]);
    const noise = noiseOf(settings.noise, judged);
    const heard = told.map((example, i) => {
      const said = likelihood(verdicts.get(example.id)!, noise, classes);
      return normalised(seen[i]!.map((p, y) => p * said[y]!));
    });
    const known = labelled.map((example) => ({ example: example as E, belief: certain(example.label, classes) }));
    const rows = told.map((example, i) => ({ example, belief: heard[i]! }));
    const hints = hintsOf([...known, ...rows], classes);
    memory = hints;
    return [
      known,
      // What is believed of an example is no evidence about itself: it is taken out of the count.
      rows.map(({ example, belief }) => ({ example, belief: join(belief, hints, example, belief) })),
      untold.map((example, i) => ({ example, belief: join(seen[told.length + i]!, hints, example) })),
    ];
  }

  const see = (lesson: Lesson<E>, examples: readonly E[], sight: readonly Modality[] = rest) =>
    probabilitiesOf(lesson.policy, examples, (some) => only(lesson, some, () => sight));

  function hintsOf(rows: readonly Row<E>[], classes: number): Hints {
    const hints = new Hints(classes, settings.prior);
    if (recurring) for (const { example, belief } of rows) hints.add(recurring.key(example), belief);
    return hints;
  }

  const join = (q: Belief, hints: Hints, example: E, own?: Belief): Belief => {
    if (!recurring) return q;
    const h = hints.of(recurring.key(example), own);
    return normalised(q.map((p, y) => p * h[y]!));
  };

  return {
    async learn(lesson) {
      if (!isTrusted(lesson, settings.trust)) {
        memory = undefined;
        return doubted.learn({ ...lesson, batchOf: varied(lesson) });
      }
      const parts = await believe(lesson);
      const shares = parts.map((rows, i) => (rows.length > 0 ? settings.mixture[i]! : 0));
      if (shares.every((share) => share === 0)) return undefined;
      const random = lesson.random("beliefs");
      let sum = 0;
      for (let i = 0; i < settings.replays; i++) {
        const rows = Array.from({ length: settings.batch }, () => random.choice(parts[pick(shares, random)]!));
        sum += await step(lesson, rows, settings, recurring, random);
      }
      return sum / settings.replays;
    },
    async predict(lesson, examples, given = modalities) {
      const { labelled, policy } = lesson;
      const { classes } = policy.config;
      if (!memory && !isTrusted(lesson, settings.trust)) return see(lesson, examples, given);
      memory ??= hintsOf(
        labelled.map((example) => ({ example: example as E, belief: certain(example.label, classes) })),
        classes,
      );
      const hints = memory;
      const seen = await see(
        lesson,
        examples,
        rest.filter((m) => given.includes(m)),
      );
      const isRead = given.some((m) => !rest.includes(m));
      return examples.map((example, i) => [...(isRead ? join(seen[i]!, hints, example) : seen[i]!)]);
    },
    memory: () => memory?.memory() ?? {},
    recall: (counts, classes) => {
      const all = Object.values(counts);
      const wrong = all.find(({ length }) => length !== classes);
      if (wrong)
        throw new RangeError(
          `beliefs: it remembers counts of ${wrong.length} labels, expected ${classes}. The memory is damaged, or of another learner.`,
        );
      memory = all.length > 0 ? new Hints(classes, settings.prior, counts) : undefined;
    },
  };
}

/** Whether enough is known to be right, labels and latest answers together, and no label hardly ever confirmed. */
function isTrusted<E>({ labelled, judged, confirmed }: Lesson<E>, trust: number): boolean {
  const latest = judged.slice(-LATEST);
  const right = labelled.length + latest.filter(({ reward }) => reward > 0).length;
  return right >= trust * (labelled.length + latest.length) && leastConfirmed(confirmed) >= CONFIRMED;
}

/** Batches of examples that are changed a little each time. */
function varied<E>({ batchOf, vary, random }: Lesson<E>): Lesson<E>["batchOf"] {
  const draws = random("varied");
  return (examples) => batchOf(examples.map((example) => vary(example, draws)));
}

/** How often which label went with a hint: n [A], less the prior. */
class Hints {
  readonly #counts: Map<string, readonly number[]>;
  constructor(
    readonly classes: number,
    readonly prior: number,
    counts: Memory = {},
  ) {
    this.#counts = new Map(Object.entries(counts));
  }

  add(key: string, belief: Belief): void {
    this.#counts.set(
      key,
      this.#own(key).map((n, y) => n + belief[y]!),
    );
  }

  /** h [A], not normalised. `own` is a belief that is in the count, and is not to be. */
  of(key: string, own?: Belief): number[] {
    return this.#own(key).map((n, y) => Math.max(n - (own?.[y] ?? 0), 0) + this.prior / this.classes);
  }

  #own(key: string): readonly number[] {
    return this.#counts.get(key) ?? new Array<number>(this.classes).fill(0);
  }

  memory(): Memory {
    return Object.fromEntries(this.#counts);
  }
}

/** The modalities that are shown without the hint: of the rest, what the policy takes; all where that is nothing. */
function restOf<E>({ modalities: known = [] }: Policy, recurring: Recurring<E> | undefined): readonly Modality[] {
  const rest = recurring?.rest ?? modalities;
  const taken = known.length === 0 ? rest : rest.filter((m) => known.includes(m));
  return taken.length > 0 ? taken : modalities;
}

/** One step of the network towards the beliefs. */
async function step<E extends { readonly id: string }>(
  lesson: Lesson<E>,
  rows: readonly Row<E>[],
  { shown }: BeliefsSettings,
  recurring: Recurring<E> | undefined,
  random: Random,
): Promise<number> {
  const { policy, optimiser, vary } = lesson;
  const rest = restOf(policy, recurring);
  const sights: readonly (readonly Modality[])[] = rows.map(() => {
    const which = pick(shown, random);
    return which === 0 ? modalities : which === 1 ? rest : [random.choice(rest)];
  });
  const examples = rows.map(({ example }) => vary(example, random));
  const batch = only(lesson, examples, (i) => sights[i]!);
  const q = Float32Array.from(rows.flatMap(({ belief }) => belief));
  const loss = await policy.engine.step(() => {
    const logits = policy.forward(batch, { training: true });
    const loss = mul(klDivergence(logSoftmax(logits), q, { reduction: "sum" }), 1 / rows.length);
    optimiser.update(loss.backward());
    return loss;
  });
  return loss.item();
}

/** Σ_j log P(verdict_j | y) as a product, [A]: what people said of one example. A reward between −1 and 1 counts in part. */
export function likelihood(
  verdicts: readonly { action: number; reward: number }[],
  noise: number,
  classes: number,
): number[] {
  return Array.from({ length: classes }, (_, y) =>
    verdicts.reduce((product, { action, reward }) => {
      const agrees = (y === action) === reward > 0;
      return product * (agrees ? 1 - noise : noise) ** Math.abs(reward);
    }, 1),
  );
}

/** So many examples of a pool, each at most once, in a random order. */
function draw<E>(pool: Pool<E>, n: number, random: Random): E[] {
  const places = Array.from({ length: pool.length }, (_, i) => i);
  return random
    .shuffle(places)
    .slice(0, n)
    .map((i) => pool.at(i));
}

const certain = (label: number, classes: number): Belief =>
  Array.from({ length: classes }, (_, y) => Number(y === label));

function normalised(q: readonly number[]): number[] {
  const sum = q.reduce((a, b) => a + b, 0);
  return sum > 0 ? q.map((p) => p / sum) : q.map(() => 1 / q.length);
}

/** A place, drawn by its share of the whole. */
function pick(shares: readonly number[], random: Random): number {
  let left = random.uniform() * shares.reduce((a, b) => a + b, 0);
  for (const [i, share] of shares.entries()) {
    left -= share;
    if (left < 0) return i;
  }
  return shares.findLastIndex((share) => share > 0);
}
