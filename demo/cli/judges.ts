import { encodeWav, type TriDigit, triDigitsShape } from "../../src/data/index.ts";
import type { Answer, FeedbackLog, Learner, SimulatedPerson } from "../../src/rl/index.ts";
import { askPerson } from "./interview.ts";
import { player } from "./play.ts";
import { say } from "./progress.ts";

/** Judges one answer; on disk when it resolves. */
export type Judge = (agent: Learner<TriDigit>, example: TriDigit, answer: Answer) => Promise<void>;

/** The person asked to stop. */
export class Quit extends Error {}

export const simulatedJudge =
  (person: SimulatedPerson): Judge =>
  async (agent, example, answer) => {
    const verdict = person.judge(example, answer.action);
    await agent.judge(answer.id, { reward: "skip" in verdict ? null : verdict.reward, judge: person.name });
  };

/** A person at the terminal. Undo takes the last judgement back; within a round its question is then asked again. */
export const humanJudge = (log: FeedbackLog, name: string = process.env.USER ?? "person"): Judge => {
  const sound = player();
  return async (agent, example, answer) => {
    const reply = await askPerson({
      image: { pixels: example.image, width: triDigitsShape.image[2], height: triDigitsShape.image[1] },
      hint: example.hint,
      action: answer.action,
      probabilities: answer.probabilities,
      ...(sound ? { play: () => sound.play(encodeWav(example.wave(), triDigitsShape.rate)) } : {}),
    });
    if (reply === "quit") throw new Quit();
    if (reply === "undo") {
      // This question stays open, and the one that was taken back is open again if it is of this round.
      const undone = await log.undo(name);
      say(undone ? `took back what you said of ${undone.example}` : "there is nothing to take back");
      return;
    }
    const reward = reply === "skip" ? null : reply === "right" ? 1 : -1;
    await agent.judge(answer.id, { reward, judge: name });
  };
};
