import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Answered, OwnTask, UserInput } from "../shared/protocol.ts";
import { Actions } from "./actions.tsx";
import { Answer, Bars } from "./answer.tsx";
import { Compose, emptyDraft, Files, isEmpty } from "./compose.tsx";
import { listen } from "./keys.ts";
import { Classes } from "./own-classes.tsx";
import { Examples } from "./own-examples.tsx";
import { become, nameOf, own } from "./own-state.ts";
import { text } from "./settings.ts";
import { accuracyText, Display, Learning } from "./standing.tsx";
import { api, fail, tasks, training } from "./state.ts";
import { TaughtView } from "./taughtView.tsx";
import { Viewer } from "./viewer.tsx";
import { explanationOf, Why } from "./why.tsx";

const busy = signal(false);

/** The person's own task, from the names of its classes to trying it. */
export function Own() {
  const t = text.value.own;
  useEffect(() => {
    // Another screen may have changed it.
    own.value = null;
    void become(api.own());
  }, []);
  const task = own.value;
  if (!task) return <p class="loading">{text.value.loading}</p>;
  return (
    <section class="own">
      <h1>{t.title}</h1>
      <p class="about">{t.about}</p>
      <Classes task={task} />
      <Examples task={task} />
      <Train task={task} />
      {task.trained && <JudgeOwn />}
      {task.trained && <Try classes={task.classes.map(nameOf)} />}
    </section>
  );
}

function Train({ task }: { task: OwnTask }) {
  const t = text.value.own;
  const now = training.value;
  const standing = tasks.own.standing.value;
  const press = async () => {
    training.value = null;
    busy.value = true;
    await become(api.ownTrain());
    busy.value = false;
  };
  return (
    <section>
      <h2>{t.train}</h2>
      {!task.trainable && <p>{t.needs}</p>}
      <p>
        <button type="button" class="right" onClick={press} disabled={busy.value || !task.trainable}>
          {task.trained ? t.again : t.trainButton}
        </button>
      </p>
      {busy.value && <progress max={now?.of ?? 1} value={now?.done ?? 0} aria-label={t.train} />}
      <p role="status" data-test="trained">
        {busy.value
          ? t.training(now?.done ?? 0, now?.of ?? 0)
          : task.trained
            ? standing
              ? `${t.trained} ${accuracyText(standing)}`
              : t.trainedAlone
            : ""}
      </p>
    </section>
  );
}

function JudgeOwn() {
  const t = text.value;
  const question = tasks.own.question.value;
  const { counts } = tasks.own.progress.value;
  const standing = tasks.own.standing.value;
  useEffect(() => listen("own"), []);
  return (
    <section>
      <h2>{t.own.judge}</h2>
      {question ? (
        <div class="judge">
          <Viewer shown={question.shown} why={explanationOf(question)} />
          <div>
            <Answer task="own" question={question} />
            <Why task="own" question={question} />
          </div>
          <Actions task="own" />
        </div>
      ) : (
        <p>{t.own.judgeNone}</p>
      )}
      <p class="soft">{t.judge.judged(counts.judged)}</p>
      <TaughtView task="own" />
      {standing && <Learning standing={standing} />}
      <Display task="own" />
    </section>
  );
}

function Try({ classes }: { classes: readonly string[] }) {
  const t = text.value.own;
  const [draft, setDraft] = useState(emptyDraft);
  const [answered, setAnswered] = useState<Answered | null>(null);
  const [live, setLive] = useState(false);
  const ask = (input: UserInput) => api.ownPredict(input).then(setAnswered).catch(fail);
  return (
    <section class="try">
      <h2>{t.test}</h2>
      <p class="soft">{t.testAbout}</p>
      <div class="giving">
        <Files
          onInputs={([input]) => {
            setDraft({ ...emptyDraft(), ...input });
            void ask(input!);
          }}
        />
        <Compose draft={draft} onChange={setDraft} onFrame={live ? ask : undefined} />
        <label class="check">
          <input type="checkbox" checked={live} onChange={(event) => setLive(event.currentTarget.checked)} />
          {t.live}
        </label>
        <button type="button" class="right" disabled={isEmpty(draft)} onClick={() => ask(draft)}>
          {t.ask}
        </button>
      </div>
      {answered && (
        <div class="answer" role="status">
          <p class="says">
            <strong class="long">{classes[answered.action]}</strong>
            <span>{text.value.judge.sure(text.value.percent(answered.probabilities[answered.action]!))}</span>
          </p>
          <Bars classes={classes} answered={answered} />
        </div>
      )}
    </section>
  );
}
