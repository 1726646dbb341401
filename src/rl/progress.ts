import type { Algorithm, AlgorithmState, Identified } from "./algorithms/index.ts";
import type { Judgement } from "./judgement.ts";
import type { FeedbackLog } from "./log.ts";
import { checkState, type LearnerState, upgradedState } from "./settings.ts";
import { firstJudged } from "./source.ts";

/** How far a learner has come: what a checkpoint needs beside weights, optimizer and log. */
export class Progress<E extends Identified> {
  /** How many updates there were. */
  updates = 0;
  /** How many labels and approving judgements each action has, [A]. */
  labelCounts: readonly number[];
  /** The ids of the judgements that updates have learned from. */
  #learnedFrom: ReadonlySet<string> = new Set();
  readonly #algorithms: readonly Algorithm<E>[];
  readonly #numOutputs: number;

  constructor(algorithms: readonly Algorithm<E>[], numOutputs: number, labelCounts: readonly number[]) {
    this.#algorithms = algorithms;
    this.#numOutputs = numOutputs;
    this.labelCounts = labelCounts;
  }

  /** The judgements that no update has learned from yet. */
  newOf<J extends Pick<Judgement, "id">>(judgements: readonly J[]): J[] {
    return judgements.filter(({ id }) => !this.#learnedFrom.has(id));
  }

  /** Counts an update that learned from these. */
  count(judgements: readonly Pick<Judgement, "id">[]): void {
    this.#learnedFrom = new Set([...this.#learnedFrom, ...judgements.map(({ id }) => id)]);
    this.updates += 1;
  }

  state(): LearnerState {
    return {
      updates: this.updates,
      learned: this.#learnedFrom.size,
      learnedFrom: [...this.#learnedFrom],
      labelCounts: this.labelCounts,
      algorithms: this.#algorithms.map((algorithm) => algorithm.state?.() ?? {}),
    };
  }

  /** Goes on from a state, all or nothing. @throws TypeError or RangeError where it is damaged or of another network. */
  restore(given: LearnerState, log: FeedbackLog): void {
    const state = upgradedState(given);
    checkState(state, this.#numOutputs, this.#algorithms.length);
    const { learned, learnedFrom = firstJudged(log, learned) } = state;
    const before = this.state();
    try {
      this.#loadAlgorithms(state.algorithms ?? []);
    } catch (error) {
      this.#loadAlgorithms(before.algorithms);
      throw error;
    }
    this.updates = state.updates;
    this.#learnedFrom = new Set(learnedFrom);
    this.labelCounts = state.labelCounts ?? this.labelCounts;
  }

  /** Takes back what an update that failed has changed, by the state before it. */
  undo(before: LearnerState): void {
    this.#loadAlgorithms(before.algorithms);
    this.labelCounts = before.labelCounts!;
  }

  #loadAlgorithms(algorithms: readonly AlgorithmState[]): void {
    for (const [i, algorithm] of this.#algorithms.entries())
      algorithm.loadState?.(algorithms[i] ?? {}, this.#numOutputs);
  }
}
