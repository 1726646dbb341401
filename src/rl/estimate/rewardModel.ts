import { checkNumber, describe, number, placeIn } from "../../check.ts";
import { largest, total } from "../../numbers.ts";
import { checkRows, type LoggedAction } from "./rows.ts";

/** Expected reward of an action, q̂(x, a), from -1 to 1. */
export type RewardModel = (row: LoggedAction, action: number) => number;

/** Fits a reward model to rows. */
export type FitRewards = (rows: readonly LoggedAction[]) => RewardModel;

/** Keeps coefficients finite where all rewards agree, and where both policies are the same. */
const RIDGE = 1e-2;
const LEAST = 1e-6;

/**
 * A reward model of three coefficients that needs nothing but the log: logistic regression of (1 + reward) / 2 on the log
 * probabilities of the action, by Newton's method with a ridge of 0.01.
 *
 * q̂(x, a) = 2 σ(θ · φ(x, a)) − 1        φ = (1, log π(a), log μ(a))
 *
 * @param rows such as `rowsOf` gives.
 * @returns q̂; calling it with an action that is none of the row's throws a RangeError.
 * @throws TypeError or RangeError naming the row that cannot be.
 * @example const q = fitRewards(rows); q(rows[0], 2);
 */
export const fitRewards: FitRewards = (rows) => {
  checkRows("fitRewards", rows);
  const [n, D] = [rows.length, 3];
  const phi = new Float64Array(n * D);
  rows.forEach((row, i) => {
    phi.set(features(row, row.action), i * D);
  });
  let theta = [0, 0, 0];
  for (let step = 0; step < 50; step++) {
    const gradient = theta.map((t) => -RIDGE * t);
    const curvature = theta.map((_, i) => theta.map((_, j) => (i === j ? RIDGE : 0)));
    for (let k = 0; k < n; k++) {
      const at = k * D;
      const p = sigmoid(theta[0]! * phi[at]! + theta[1]! * phi[at + 1]! + theta[2]! * phi[at + 2]!);
      const { weight, reward } = rows[k]!;
      for (let i = 0; i < D; i++) {
        gradient[i]! += weight * ((1 + reward) / 2 - p) * phi[at + i]!;
        for (let j = 0; j < D; j++) curvature[i]![j]! += weight * p * (1 - p) * phi[at + i]! * phi[at + j]!;
      }
    }
    const move = solve(curvature, gradient);
    // A step is kept short: far from the optimum Newton's may run away.
    const length = largest(move.map(Math.abs));
    theta = theta.map((t, i) => t + move[i]! * Math.min(1, 4 / length));
    if (length < 1e-7) break;
  }
  const [t0, t1, t2] = theta as [number, number, number];
  return (row, action) => {
    checkNumber("fitRewards: its model", "action", action, placeIn(row.target.length));
    const [f0, f1, f2] = features(row, action);
    return 2 * sigmoid(t0 * f0 + t1 * f1 + t2 * f2) - 1;
  };
};

const features = ({ target, logged }: LoggedAction, a: number): [number, number, number] => [
  1,
  Math.log(Math.max(target[a]!, LEAST)),
  Math.log(Math.max(logged[a]!, LEAST)),
];
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** x with A x = b, by elimination with the largest pivot. */
function solve(A: readonly (readonly number[])[], b: readonly number[]): number[] {
  const rows = A.map((row, i) => [...row, b[i]!]);
  const n = b.length;
  for (let k = 0; k < n; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row, i) => (Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= n; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  const x = new Array<number>(n).fill(0);
  for (let k = n - 1; k >= 0; k--) {
    let rest = rows[k]![n]!;
    for (let j = k + 1; j < n; j++) rest -= rows[k]![j]! * x[j]!;
    x[k] = rest / rows[k]![k]!;
  }
  return x;
}

/** Σ_a π(a) q̂(x, a). */
export const expectedReward = (model: RewardModel, row: LoggedAction): number =>
  total(row.target, (p, a) => (p > 0 ? p * model(row, a) : 0));

/** A model of somebody else, whose answers are looked at. */
export function fitted(operation: string, rewards: FitRewards, rows: readonly LoggedAction[]): RewardModel {
  const model: unknown = rewards(rows);
  if (typeof model !== "function")
    throw new TypeError(
      `${operation}: rewards gave ${describe(model)}, expected a reward model: a function of (row, action).`,
    );
  return (row, action) => {
    const reward: unknown = model(row, action);
    checkNumber(
      operation,
      `the reward model's answer for action ${action} of example ${row.example}`,
      reward,
      number.finite,
    );
    return reward;
  };
}
