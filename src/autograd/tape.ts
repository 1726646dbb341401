import { type Recording, refuseAsync, refusePromise } from "../gpu/index.ts";
import { sumOf } from "../kernels/arithmetic.ts";
import { show } from "../kernels/checks.ts";
import { count, type Recorded, type Value } from "../kernels/op.ts";
import { append } from "../numbers.ts";

/** A value that gradients flow to or through. */
export interface Tracked extends Value {
  readonly isParameter: boolean;
  readonly node: Node | undefined;
}

/** One op of the step being recorded: what went in, what came out, and its gradient. */
export interface Node {
  readonly recording: Recording;
  readonly order: number;
  readonly op: string;
  readonly inputs: readonly (Tracked | undefined)[];
  readonly outputs: readonly Tracked[];
  readonly backward: NonNullable<Recorded["backward"]>;
}

let paused = false;

/**
 * Runs `fn` without keeping what gradients would need: for evaluation. Call it within a step.
 *
 * @param fn computes tensors; it is not asynchronous.
 * @returns what `fn` returns; `backward` through it is an error.
 * @throws TypeError where `fn` is asynchronous or gives a promise: it would go on after noGrad has ended.
 * @example const logits = await engine.step(() => noGrad(() => net.forward(batch)));
 */
export function noGrad<T>(fn: () => T): T {
  refuseAsync("noGrad", fn);
  const before = paused;
  paused = true;
  try {
    const result = fn();
    refusePromise("noGrad", result);
    return result;
  } finally {
    paused = before;
  }
}

export const isPaused = (): boolean => paused;

/** Whether a gradient for `x` can be wanted in this step: it is a parameter or was computed from one. */
export const isTracked = (x: Tracked | undefined, recording: Recording): boolean =>
  x !== undefined && (x.isParameter || x.node?.recording === recording);

/** What an op says where a gradient is wanted for an input that has none. */
export const noGradientFor = (op: string, what: string, x: Value): string =>
  `${op}: ${what} ${show(x)} is a parameter or was computed from one, but no gradient is defined for it. Give detach(x) where none is meant to flow.`;

/** Refuses an op whose input an optimizer has changed since: its gradient would be taken at numbers that it never saw. */
function refuseLearned({ op, order }: Node, input: Tracked | undefined, { learned }: Recording): void {
  const changedAfter = input && learned.get(input.slot);
  if (changedAfter !== undefined && changedAfter > order)
    throw new Error(
      `backward: optimizer.update has changed ${show(input!)} in this step since ${op} read it, so the gradient would mix old numbers and new ones. Call every backward() before the first update, or use a step for each.`,
    );
}

/**
 * Reverse-mode differentiation: walks the ops that led to `root` from the last recorded to the first, and records each
 * op's gradient. Where several ops used one value, their gradients are added up in that order.
 *
 * @returns the gradient of every parameter that `root` depends on.
 */
export function gradientsOf(root: Tracked, rootGradient: Value, recording: Recording): Map<Tracked, Value> {
  const nodes = new Set<Node>();
  const waiting: (Tracked | undefined)[] = [root];
  while (waiting.length > 0) {
    const node = waiting.pop()?.node;
    if (!node || node.recording !== recording || nodes.has(node)) continue;
    nodes.add(node);
    append(waiting, node.inputs);
  }
  const gradients = new Map<Tracked, Value>([[root, rootGradient]]);
  for (const node of [...nodes].sort((a, b) => b.order - a.order)) {
    const dy = node.outputs.map((output) => gradients.get(output));
    for (const output of node.outputs) if (!output.isParameter) gradients.delete(output);
    if (dy.every((d) => d === undefined)) continue;
    for (const input of node.inputs) refuseLearned(node, input, recording);
    const needs = node.inputs.map((input) => isTracked(input, recording));
    const dx = node.backward(dy, needs);
    node.inputs.forEach((input, i) => {
      const d = dx[i];
      if (!input || !needs[i]) return;
      if (!d) throw new Error(noGradientFor(node.op, `argument ${i + 1}`, input));
      if (count(d.shape) !== count(input.shape)) {
        throw new TypeError(
          `${node.op}: its gradient gives ${show(d)} for input ${i}, which is ${show(input)}. They must be equal.`,
        );
      }
      const before = gradients.get(input);
      gradients.set(input, before ? sumOf(recording, before, d) : { ...d, shape: input.shape });
    });
  }
  return new Map([...gradients].filter(([x]) => x.isParameter));
}
