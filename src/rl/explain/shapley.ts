import { concat, noGrad, softmax } from "../../autograd/index.ts";
import { checkFunction, checkList, checkNumber, checkText, number } from "../../check.ts";
import { Random } from "../../data/random.ts";
import { type Batch, type Modality, type MultimodalNet, modalities, presentOf } from "../../model/index.ts";
import { total } from "../../numbers.ts";
import { checkObject } from "../check.ts";
import { checkAction, checkNet, oneOf, repeated } from "./example.ts";

/*
 * Shapley values (1953): how a decision's probability is shared out among those who made it. With v(S) the probability
 * when only the players of S are there, player i gets what it adds, averaged over all orders in which they could come:
 *   φ_i = Σ_{S without i} |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S))        Σ_i φ_i = v(all) − v(none)
 */

/** Shapley values of named players, and the worth of none and of all: Σ shares = all − none. */
export interface ShapleyValues<Name extends string = string> {
  /** φ by player. */
  readonly shares: Readonly<Record<Name, number>>;
  /** v(∅): the probability without any player. */
  readonly none: number;
  /** v(all players). */
  readonly all: number;
}

/**
 * Shapley values (1953) of n players, exactly, from the worth v of every subset:
 *
 * φ_i = Σ_{S without i} |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S))        Σ_i φ_i = v(all) − v(none)
 *
 * @param v [2ⁿ], where bit i of the index says that player i is in the subset.
 * @returns φ [n].
 * @throws RangeError where v holds no power of 2 of numbers, or one is not finite.
 * @example shapleyValues([0, 1, 2, 3]); // [1, 2]
 */
export function shapleyValues(v: ArrayLike<number>): number[] {
  checkList("shapleyValues", "v", v, "a list of 2ⁿ numbers");
  const n = Math.log2(v.length);
  if (!Number.isInteger(n)) {
    throw new RangeError(`shapleyValues: v holds ${v.length} numbers, expected 2ⁿ: one for each subset of n players.`);
  }
  for (let S = 0; S < v.length; S++) checkNumber("shapleyValues", `v[${S}]`, v[S], number.finite);
  const factorial = (k: number): number => (k < 2 ? 1 : k * factorial(k - 1));
  const weight = Array.from({ length: n }, (_, size) => (factorial(size) * factorial(n - size - 1)) / factorial(n));
  return Array.from({ length: n }, (_, i) => {
    return total(v, (worth, S) => (S & (1 << i) ? 0 : weight[ones(S)]! * (v[S | (1 << i)]! - worth)));
  });
}

/**
 * Shapley values of named players from a function of subsets, such as one that asks a learner for its predictions.
 *
 * @param players at most 16, each named once: 2ⁿ subsets are evaluated.
 * @param worth v of a subset.
 * @returns φ by name, with v of none and of all.
 * @throws TypeError or RangeError where those cannot be, or a worth is no finite number.
 * @example await sharesOf(["image", "audio"], async (modalities) => (await agent.predict([example], { modalities }))[0][3]);
 */
export async function sharesOf<Name extends string>(
  players: readonly Name[],
  worth: (there: readonly Name[]) => Promise<number>,
): Promise<ShapleyValues<Name>> {
  checkList("sharesOf", "players", players, "a list of names");
  if (players.length > PLAYERS)
    throw new RangeError(`sharesOf: there are ${players.length} players, expected at most ${PLAYERS}.`);
  for (const [i, name] of players.entries()) {
    checkText("sharesOf", `player ${i}`, name);
    if (players.indexOf(name) < i) throw new RangeError(`sharesOf: player ${name} is named twice, expected once.`);
  }
  checkFunction("sharesOf", "worth", worth, "a function of the players who are there");
  const v: number[] = [];
  for (let S = 0; S < 2 ** players.length; S++) {
    const there = players.filter((_, i) => (S >> i) & 1);
    const found: unknown = await worth(there);
    checkNumber("sharesOf", `the worth of [${there.join(", ")}]`, found, number.finite);
    v.push(found);
  }
  const values = shapleyValues(v);
  const shares = Object.fromEntries(players.map((name, i) => [name, values[i]!]));
  return { shares: shares as Record<Name, number>, none: v[0]!, all: v.at(-1)! };
}

const PLAYERS = 16;

const ones = (bits: number): number => (bits === 0 ? 0 : (bits & 1) + ones(bits >> 1));

/**
 * Shapley values of the modalities for the probability of an action, exactly: every example is encoded once, and all 2^M
 * subsets are one batch for fusion and head. A modality that an example lacks gets 0.
 *
 * @param net a network of M modalities.
 * @param batch of N examples.
 * @param actions [N], one for each example of the batch.
 * @returns [N], shares by modality.
 * @throws TypeError or RangeError naming the action or the part of the batch that cannot be.
 * @example const [shares] = await modalityShares(net, batchOf([example]), [action]);
 */
export async function modalityShares(
  net: MultimodalNet,
  batch: Batch,
  actions: readonly number[],
): Promise<ShapleyValues<Modality>[]> {
  checkNet("modalityShares", net);
  checkObject("modalityShares", "the batch", batch, "a batch");
  checkList("modalityShares", "actions", actions, "a list of actions, one for each example");
  const [N, M] = [actions.length, net.modalities.length];
  for (let n = 0; n < N; n++) checkAction("modalityShares", `action ${n}`, net, actions[n]);
  if (N === 0) return [];
  const subsets = 2 ** M;
  const given = presentOf("modalityShares", batch, N * M);
  // Rows by subset, then example.
  const present = Float32Array.from({ length: subsets * N * M }, (_, i) => {
    const [m, n, S] = [i % M, Math.floor(i / M) % N, Math.floor(i / M / N)];
    return (S >> m) & 1 ? (given?.[n * M + m] ?? 1) : 0;
  });
  const p = await net.engine.step(() =>
    noGrad(() => {
      const features = net.encode(batch);
      const size = features[0]!.shape[0];
      if (size !== N)
        throw new RangeError(`modalityShares: there are ${N} actions for ${size} examples, expected as many.`);
      const all = features.map((x) => concat(new Array(subsets).fill(x), { axis: 0 }));
      return softmax(net.classify(all, present));
    }),
  );
  const rows = (await p.data()) as Float32Array;
  p.dispose();
  const A = rows.length / (subsets * N);
  return Array.from(actions, (action, n) => {
    const v = Array.from({ length: subsets }, (_, S) => rows[(S * N + n) * A + action]!);
    const values = shapleyValues(v);
    const shares = Object.fromEntries(modalities.map((name) => [name, values[net.modalities.indexOf(name)] ?? 0]));
    return { shares: shares as Record<Modality, number>, none: v[0]!, all: v.at(-1)! };
  });
}

/** Words up to which all subsets are tried, and orders that are drawn for longer texts. */
const EXACT = 8;
const ORDERS = 64;
/** Texts that are evaluated at once. */
const CHUNK = 256;

/**
 * Shapley values of the words of one example for the probability of an action; a word that is absent is padding. Up to 8
 * words exactly, by all 2ᴸ texts; longer ones by 64 random orders, each also reversed (Castro et al. 2009): Σ φ stays exact,
 * each φ is an estimate.
 *
 * @param net a network that reads text.
 * @param batch of one example.
 * @param action whose probability is explained.
 * @param seed of the orders. Default 0.
 * @returns φ [L], 0 for padding.
 * @throws TypeError or RangeError naming the action or the part of the batch that cannot be.
 * @example const shares = await wordShares(net, batchOf([example]), action);
 */
export async function wordShares(
  net: MultimodalNet,
  batch: Batch,
  action: number,
  seed: number | string = 0,
): Promise<number[]> {
  checkNet("wordShares", net);
  checkAction("wordShares", "action", net, action);
  if (!net.modalities.includes("text"))
    throw new TypeError(
      `wordShares: the network takes ${net.modalities.join(" and ")} alone, expected one that reads text.`,
    );
  if (typeof seed !== "string") checkNumber("wordShares", "seed", seed, number.finite);
  const row = oneOf("wordShares", net, batch);
  const words = Array.from((row.words ?? []) as ArrayLike<number>);
  const players = words.flatMap((id, i) => (id === 0 ? [] : [i]));
  const n = players.length;
  const evaluate = (there: readonly (readonly number[])[]) => probabilitiesOf(net, row, words, there, action);
  const shares = words.map(() => 0);
  if (n <= EXACT) {
    const subsets = Array.from({ length: 2 ** n }, (_, S) => players.filter((_, i) => (S >> i) & 1));
    shapleyValues(await evaluate(subsets)).forEach((value, i) => {
      shares[players[i]!] = value;
    });
    return shares;
  }
  const random = new Random("word shares", seed);
  const orders = Array.from({ length: ORDERS }, () => random.shuffle([...players])).flatMap((o) => [o, o.toReversed()]);
  const v = await evaluate(orders.flatMap((order) => [[], ...order.map((_, k) => order.slice(0, k + 1))]));
  orders.forEach((order, o) => {
    order.forEach((player, k) => {
      const at = o * (n + 1) + k;
      shares[player]! += (v[at + 1]! - v[at]!) / orders.length;
    });
  });
  return shares;
}

/** The action's probability with only these words there, for each list of places. */
async function probabilitiesOf(
  net: MultimodalNet,
  row: Batch,
  words: readonly number[],
  there: readonly (readonly number[])[],
  action: number,
): Promise<number[]> {
  const found: number[] = [];
  for (let from = 0; from < there.length; from += CHUNK) {
    const some = there.slice(from, from + CHUNK);
    const ids = Int32Array.from(some.flatMap((places) => words.map((id, i) => (places.includes(i) ? id : 0))));
    const texts = { ...repeated(row, some.length), words: ids };
    const p = await net.engine.step(() => noGrad(() => softmax(net.forward(texts))));
    const rows = (await p.data()) as Float32Array;
    p.dispose();
    const A = rows.length / some.length;
    for (let i = 0; i < some.length; i++) found.push(rows[i * A + action]!);
  }
  return found;
}
