import type { Effect, Picture, Question, Verdict } from "../shared/protocol.ts";

/* What a person taught on this visit: each judgement, and what learning from it did. */

/** Judgements that are kept to be shown. */
export const MOST_TAUGHT = 5;
/** A probability that moved by less is called as it was. */
const LEAST = 0.005;

/** A judgement that the person gave on this visit, and what learning from it did. */
export interface Taught {
  example: string;
  picture: Picture | null;
  words: readonly string[];
  class: number;
  approved: boolean;
  /** Null while it waits to be learned from. */
  effect: Effect | null;
}

/** What a verdict says of a class, where it says anything. */
export function taughtBy({ shown, action }: Question, { reward, label }: Verdict): Taught | null {
  if (label === undefined && reward === null) return null;
  const { id, picture, words } = shown;
  return {
    example: id,
    picture,
    words,
    class: label ?? action,
    approved: label !== undefined || reward! > 0,
    effect: null,
  };
}

/** With what learning did to them. */
export const learnedBy = (taught: readonly Taught[], effects: readonly Effect[]): Taught[] =>
  taught.map((one) => {
    const effect = effects.find(({ example }) => example === one.example);
    return effect ? { ...one, class: effect.class, approved: effect.approved, effect } : one;
  });

/** Whether the answer moved as the person said. */
export const followed = ({ approved, before, after }: Effect) =>
  Math.abs(after - before) >= LEAST && after > before === approved;
