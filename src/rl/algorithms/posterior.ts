import { klDivergence, logSoftmax, mul } from "../../autograd/index.ts";
import type { Random } from "../../data/random.ts";
import { type Batch, type Modality, modalities } from "../../model/index.ts";
import {
  type Algorithm,
  type MethodRecord,
  only,
  type Policy,
  type Pool,
  type Recurring,
  type UpdateContext,
} from "./algorithm.ts";
import { groupByExample } from "./baseline.ts";
import { Hints, normalized, type Posterior } from "./hints.ts";
import { lowestRelativeCount } from "./labelCounts.ts";
import { createReplay, noiseOf, probabilitiesOf } from "./replay.ts";

/*
 * Learning from the posterior of each example's label y, judged or not. Given the label, the parts of an example
 * know nothing of each other: how the digit is written says nothing about which hint was chosen for it. So
 *   q(y) ∝ π(y | rest) · h(y | hint) · Π_j P(verdict_j | y)
 * where π is the network without the hint, h counts how often examples with word for word the same hint were which label
 * (labels count 1, judged examples by their posterior, plus a prior of `prior` in all), and a verdict "right" of
 * answer a has the likelihood 1 − ε where y = a and ε elsewhere, "wrong" the other way round; ε is the share of mistaken
 * judgements. The network, with all that it is given, then learns q by
 *   loss = −1/N Σ_i Σ_y q_i(y) log π(y | x_i).
 *
 * This is expectation maximization with two views (Dempster, Laird & Rubin 1977; co-training, Blum & Mitchell 1998;
 * co-EM, Nigam & Ghani 2000). What it gains is the stream: thousands of examples that nobody judged, of which hint and
 * picture together often leave little doubt, teach the network what neither of a few hundred judgements would.
 *
 * A network that is mostly wrong would teach itself its mistakes. Until it can be trusted (`isTrusted`) what people said
 * is all that counts: it learns by the likelihood of their verdicts (`replay.ts`), which needs no posterior.
 */

/** Settings of "posterior". */
export interface PosteriorSettings {
  /** Steps in an update. Default 24. */
  stepsPerUpdate: number;
  /** Examples in each step. Default 32. */
  batch: number;
  /** Parts of a batch: labeled, judged and unlabeled examples. What there is none of is left to the others. Default [6, 10, 16]. */
  mixture: readonly [labeled: number, judged: number, unlabeled: number];
  /** Unlabeled examples that are looked at in an update. Default 300. */
  unlabeledBatch: number;
  /** Weight of the prior of the counts of each hint, in examples. Default 1. */
  prior: number;
  /** How often an example is shown in training with all its modalities, without the hint, and with one of the rest alone: shares. Default [0.5, 0.3, 0.2]. */
  modalityMask: readonly [all: number, rest: number, single: number];
  /** ε, the share of judgements taken to be mistaken; "estimated": by the log itself. Default "estimated". */
  labelNoise: number | "estimated";
  /** The share that must be known to be right, of labels and latest answers, for the network to be trusted. Default 0.7. */
  trust: number;
}
const defaults: PosteriorSettings = {
  stepsPerUpdate: 24,
  batch: 32,
  mixture: [6, 10, 16],
  unlabeledBatch: 300,
  prior: 1,
  modalityMask: [0.5, 0.3, 0.2],
  labelNoise: "estimated",
  trust: 0.7,
};
/** Judgements that trust is decided by, and the lowest count of a label, as a part of the mean. */
const LATEST = 100;
const LOWEST_COUNT = 0.1;
/** ε until then: what a network says that is mostly wrong tells nothing of those who judge it. */
const NOISE = 0.05;

interface SoftLabel<E> {
  readonly example: E;
  readonly posterior: Posterior;
}

export const posterior: MethodRecord<"posterior", PosteriorSettings> = {
  name: "posterior",
  defaults,
  onPolicy: false,
  groups: false,
  answers: "greedy",
  create: (settings, recurring) => [createPosterior(settings, recurring)],
};

/** @see the head of this file. Without `recurring` there is no h, and π sees the whole example. */
function createPosterior<E extends { readonly id: string }>(
  settings: PosteriorSettings,
  recurring: Recurring<E> | undefined,
): Algorithm<E> {
  let hints: Hints | undefined;
  const doubted = createReplay<E>({
    ...settings,
    labelNoise: settings.labelNoise === "estimated" ? NOISE : settings.labelNoise,
  });
  const rest = recurring?.rest ?? modalities;

  /** Labeled, judged and unlabeled examples, each with its posterior. */
  async function softLabels(context: UpdateContext<E>): Promise<SoftLabel<E>[][]> {
    const { policy, judged, labeled, unlabeled, random } = context;
    const classes = policy.numOutputs;
    const verdicts = groupByExample(judged);
    const told = [...verdicts.values()].map((all) => all[0]!.example);
    const untold = draw(unlabeled, settings.unlabeledBatch, random("scanned")).filter(({ id }) => !verdicts.has(id));
    const seen = await see(context, [...told, ...untold]);
    const noise = noiseOf(settings.labelNoise, judged);
    const heard = told.map((example, i) => {
      const said = likelihood(verdicts.get(example.id)!, noise, classes);
      return normalized(seen[i]!.map((p, y) => p * said[y]!));
    });
    const known = labeled.map((example) => ({ example: example as E, posterior: oneHot(example.label, classes) }));
    const rows = told.map((example, i) => ({ example, posterior: heard[i]! }));
    const counted = hintsOf([...known, ...rows], classes);
    hints = counted;
    return [
      known,
      // An example's posterior is no evidence about itself: it is taken out of the count.
      rows.map(({ example, posterior }) => ({ example, posterior: join(posterior, counted, example, posterior) })),
      untold.map((example, i) => ({ example, posterior: join(seen[told.length + i]!, counted, example) })),
    ];
  }

  const see = (context: UpdateContext<E>, examples: readonly E[], sight: readonly Modality[] = rest) =>
    probabilitiesOf(context.policy, examples, (some) => only(context, some, () => sight));

  function hintsOf(rows: readonly SoftLabel<E>[], classes: number): Hints {
    const hints = new Hints(classes, settings.prior);
    if (recurring) for (const { example, posterior } of rows) hints.add(recurring.key(example), posterior);
    return hints;
  }

  const join = (q: Posterior, hints: Hints, example: E, own?: Posterior): Posterior => {
    if (!recurring) return q;
    const h = hints.get(recurring.key(example), own);
    return normalized(q.map((p, y) => p * h[y]!));
  };

  /** Examples with what the network and the counts of hints answer together. */
  async function answered(examples: readonly E[], context: UpdateContext<E>, hints: Hints): Promise<SoftLabel<E>[]> {
    const seen = await see(context, examples);
    return examples.map((example, i) => ({ example, posterior: join(seen[i]!, hints, example) }));
  }

  return {
    async learn(context) {
      if (!isTrusted(context, settings.trust)) {
        hints = undefined;
        return doubted.learn({ ...context, batchOf: augmented(context) });
      }
      const parts = await softLabels(context);
      const shares = parts.map((rows, i) => (rows.length > 0 ? settings.mixture[i]! : 0));
      if (shares.every((share) => share === 0)) return undefined;
      const random = context.random("beliefs");
      let sum = 0;
      for (let i = 0; i < settings.stepsPerUpdate; i++) {
        const rows = Array.from({ length: settings.batch }, () => random.choice(parts[pick(shares, random)]!));
        sum += await step(context, rows, settings, recurring, random);
      }
      return sum / settings.stepsPerUpdate;
    },
    async predict(context, examples, given = modalities) {
      const { labeled, policy } = context;
      const classes = policy.numOutputs;
      if (!hints && !isTrusted(context, settings.trust)) return see(context, examples, given);
      hints ??= hintsOf(
        labeled.map((example) => ({ example: example as E, posterior: oneHot(example.label, classes) })),
        classes,
      );
      const known = hints;
      const seen = await see(
        context,
        examples,
        rest.filter((m) => given.includes(m)),
      );
      const isRead = given.some((m) => !rest.includes(m));
      return examples.map((example, i) => [...(isRead ? join(seen[i]!, known, example) : seen[i]!)]);
    },
    async distill(context, steps) {
      if (!recurring || !hints) return undefined;
      const { policy, labeled, judged, unlabeled, random } = context;
      const known = hints;
      const order = random("distilled");
      const parts = (policy.modalities ?? modalities).filter((m) => !rest.includes(m));
      const isLate = parts.every((m) => policy.late?.includes(m));
      const told = [...labeled, ...judged.map(({ example }) => example)] as readonly E[];
      const teach = isLate
        ? // Its own head is added to that of the rest: what it says alone is what it adds. Each key once.
          [...new Map(told.map((example) => [recurring.key(example), example])).entries()].map(([key, example]) => ({
            example,
            posterior: normalized(known.get(key)),
          }))
        : await answered([...told, ...draw(unlabeled, settings.unlabeledBatch, order)], context, known);
      const shown = isLate ? parts : modalities;
      const n = isLate ? Math.min(teach.length, policy.batchSize ?? 100) : settings.batch;
      let sum = 0;
      for (let i = 0; i < steps; i++) {
        const rows = draw({ length: teach.length, at: (i) => teach[i]! }, n, order);
        const examples = rows.map(({ example }) => example);
        sum += await towards(
          context,
          only(context, examples, () => shown),
          rows,
        );
      }
      return sum / steps;
    },
    state: () => hints?.state() ?? {},
    loadState: (counts, classes) => {
      const all = Object.values(counts);
      const wrong = all.find(({ length }) => length !== classes);
      if (wrong)
        throw new RangeError(
          `posterior: its counts are of ${wrong.length} labels, expected ${classes}. The state is damaged, or of another learner.`,
        );
      hints = all.length > 0 ? new Hints(classes, settings.prior, counts) : undefined;
    },
  };
}

/** Whether enough is known to be right, labels and latest answers together, and no label's count too low. */
function isTrusted<E>({ labeled, judged, labelCounts }: UpdateContext<E>, trust: number): boolean {
  const latest = judged.slice(-LATEST);
  const right = labeled.length + latest.filter(({ reward }) => reward > 0).length;
  return right >= trust * (labeled.length + latest.length) && lowestRelativeCount(labelCounts) >= LOWEST_COUNT;
}

/** Batches of examples that are changed a little each time. */
function augmented<E>({ batchOf, augment, random }: UpdateContext<E>): UpdateContext<E>["batchOf"] {
  const draws = random("varied");
  return (examples) => batchOf(examples.map((example) => augment(example, draws)));
}

/** The modalities that are shown without the hint: of the rest, what the policy takes; all where that is nothing. */
function restOf<E>({ modalities: known = [] }: Policy, recurring: Recurring<E> | undefined): readonly Modality[] {
  const rest = recurring?.rest ?? modalities;
  const taken = known.length === 0 ? rest : rest.filter((m) => known.includes(m));
  return taken.length > 0 ? taken : modalities;
}

/** One step of the network towards the posteriors. */
async function step<E extends { readonly id: string }>(
  context: UpdateContext<E>,
  rows: readonly SoftLabel<E>[],
  { modalityMask }: PosteriorSettings,
  recurring: Recurring<E> | undefined,
  random: Random,
): Promise<number> {
  const { policy, augment } = context;
  const rest = restOf(policy, recurring);
  const sights: readonly (readonly Modality[])[] = rows.map(() => {
    const which = pick(modalityMask, random);
    return which === 0 ? modalities : which === 1 ? rest : [random.choice(rest)];
  });
  const examples = rows.map(({ example }) => augment(example, random));
  return towards(
    context,
    only(context, examples, (i) => sights[i]!),
    rows,
  );
}

/** One step of the network towards posteriors of a batch. */
async function towards(
  { policy, optimizer }: Pick<UpdateContext<unknown>, "policy" | "optimizer">,
  batch: Batch,
  rows: readonly { readonly posterior: Posterior }[],
): Promise<number> {
  const q = Float32Array.from(rows.flatMap(({ posterior }) => posterior));
  const loss = await policy.engine.step(() => {
    const logits = policy.forward(batch, { training: true });
    const loss = mul(klDivergence(logSoftmax(logits), q, { reduction: "sum" }), 1 / rows.length);
    optimizer.update(loss.backward());
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

const oneHot = (label: number, classes: number): Posterior =>
  Array.from({ length: classes }, (_, y) => Number(y === label));

/** A place, drawn by its share of the whole. */
function pick(shares: readonly number[], random: Random): number {
  let left = random.uniform() * shares.reduce((a, b) => a + b, 0);
  for (const [i, share] of shares.entries()) {
    left -= share;
    if (left < 0) return i;
  }
  return shares.findLastIndex((share) => share > 0);
}
