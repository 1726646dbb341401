import { encodeWav } from "handgrad/data";
import type { Answer, FeedbackLog, Learner, Purpose, SimulatedPerson } from "handgrad/rl";
import { type TriDigit, triDigitsShape } from "../tridigits/tridigits.ts";
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

/**
 * A person at the terminal. Undo takes the last judgement back; within a round its question is then asked again.
 *
 * @param options.blind without showing how sure the network is.
 */
export const humanJudge = (log: FeedbackLog, { blind = false } = {}): Judge => {
  const name = process.env.USER?.trim() || "person";
  const sound = player();
  return async (agent, example, answer) => {
    const reply = await askPerson({
      image: { pixels: example.image, width: triDigitsShape.image[2], height: triDigitsShape.image[1] },
      hint: example.hint,
      action: answer.action,
      ...(blind ? {} : { probabilities: answer.probabilities }),
      ...(sound ? { play: () => sound.play(encodeWav(example.wave(), triDigitsShape.rate)) } : {}),
    });
    if (reply === "quit") throw new Quit();
    if (reply === "undo") {
      // This question stays open, and the one that was taken back is open again if it is of this round.
      const undone = await log.undo(name);
      // An example's id names its label, which who judges must not know.
      say(undone ? "took back your last judgement" : "there is nothing to take back");
      return;
    }
    const reward = reply === "skip" ? null : reply === "right" ? 1 : -1;
    await agent.judge(answer.id, { reward, judge: name });
  };
};

/** Has all of these answered and judged. One that is taken back is asked again, until each has its judgement. */
export async function judgeAll(
  agent: Learner<TriDigit>,
  questions: readonly TriDigit[],
  { log, judge, purpose = "training" }: { log: FeedbackLog; judge: Judge; purpose?: Purpose },
): Promise<void> {
  const answers = new Map((await agent.actOn(questions, { purpose })).map((answer) => [answer.example, answer]));
  const isOpen = ({ id }: TriDigit) => !log.judgements().some((j) => j.example === id);
  for (let example = questions.find(isOpen); example; example = questions.find(isOpen)) {
    const answer = answers.get(example.id) ?? (await agent.act(example, { purpose }));
    answers.delete(example.id);
    await judge(agent, example, answer);
  }
}
