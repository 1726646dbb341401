import type { LabeledBatch, MultimodalConfig, Weights } from "handgrad/model";
import type { Pool, Recurring } from "handgrad/rl";
import type { Shown, TaskName } from "../shared/protocol.ts";

/** One thing to be learned: what is asked in which order, what is known, what is measured by. */
export interface Task<E extends TaskExample = TaskExample> {
  readonly name: TaskName;
  readonly classes: readonly string[];
  readonly config: MultimodalConfig;
  /** The network of weights that were kept, where an earlier version made another. Default: `config`. */
  readonly configOf?: (weights: Weights) => MultimodalConfig;
  /** Examples whose label is given. */
  readonly labeled: readonly E[];
  /** Examples without labels that may be learned from though nobody judges them, and the part that recurs in them. */
  readonly unlabeled?: Pool<E>;
  readonly recurring?: Recurring<E>;
  /** Ids of what the network is asked, in order. */
  readonly questions: readonly string[];
  /** Labeled examples that are never learned from. */
  readonly heldOut: readonly E[];
  find(id: string): E | undefined;
  batchOf(examples: readonly E[]): LabeledBatch;
  show(example: E): Shown;
}

export interface TaskExample {
  readonly id: string;
  /** -1 where nobody said. */
  readonly label: number;
}
