import { useEffect } from "preact/hooks";
import { Actions } from "./actions.tsx";
import { Answer } from "./answer.tsx";
import { AccuracyChart } from "./chart.tsx";
import { listen } from "./keys.ts";
import { autoPlay, text } from "./settings.ts";
import { SimulatedJudge } from "./simulated.tsx";
import { play } from "./sound.ts";
import { Display, StandingView } from "./standing.tsx";
import { tasks } from "./state.ts";
import { TaughtView } from "./taughtView.tsx";
import { Viewer } from "./viewer.tsx";
import { explanationOf, Why } from "./why.tsx";

/** The first screen: one answer to judge, and what came of the judgements so far. */
export function Judge() {
  const t = text.value;
  const question = tasks.digits.question.value;
  useEffect(() => listen("digits"), []);
  useEffect(() => {
    if (autoPlay.value && question?.shown.sound) play(question.shown.sound);
  }, [question]);
  return (
    <>
      <p class="lead">{t.lead}</p>
      <div class="judge">
        <h1>{t.judge.title}</h1>
        {question ? (
          <>
            <Viewer shown={question.shown} why={explanationOf(question)} />
            <div>
              <Answer task="digits" question={question} />
              <Why task="digits" question={question} />
            </div>
          </>
        ) : (
          <p class="nothing">{t.judge.nothingLeft}</p>
        )}
        <Actions task="digits" />
      </div>
      <div class="beside">
        <TaughtView task="digits" />
        <Learned />
        <Display task="digits" />
        <SimulatedJudge />
      </div>
    </>
  );
}

function Learned() {
  const t = text.value;
  const { counts, heldOut } = tasks.digits.progress.value;
  return (
    <section class="learned" aria-label={t.progress.title}>
      <p class="figures">
        <span data-test="judged">{t.judge.judged(counts.judged)}</span>
        <span class="state">
          {tasks.digits.learning.value ? t.judge.learning : t.judge.waiting(Math.min(counts.waiting, 5))}
        </span>
      </p>
      <StandingView standing={tasks.digits.standing.value} />
      <AccuracyChart points={heldOut} height={150} />
    </section>
  );
}
