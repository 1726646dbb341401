import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Answered, OwnClass, OwnTask, UserInput } from "../shared/protocol.ts";
import { Actions } from "./actions.tsx";
import { Answer, Bars } from "./answer.tsx";
import { Canvas } from "./canvas.tsx";
import { Compose, emptyDraft, Files, isEmpty } from "./compose.tsx";
import { drawPicture } from "./draw.ts";
import { listen } from "./keys.ts";
import { text } from "./settings.ts";
import { api, fail, notice, ownClasses, tasks, training } from "./state.ts";
import { Viewer } from "./viewer.tsx";
import { explanationOf, Why } from "./why.tsx";

const MOST_CLASSES = 10;
const own = signal<OwnTask | null>(null);
const busy = signal(false);

/** Takes over what the worker says of the task now; gives whether what was asked of it was done. */
async function become(next: Promise<OwnTask>): Promise<boolean> {
  try {
    show(await next);
    return true;
  } catch (error) {
    fail(error);
    // What stands here may not have been stored: what has been is shown.
    own.value = null;
    await api.own().then(show, fail);
    return false;
  }
}

function show(task: OwnTask): void {
  // Classes are named here: what the worker had heard when it answered may be older than what stands in the fields.
  const { classes, retired } = own.value ?? task;
  own.value = { ...task, classes, retired };
  ownClasses.value = classes.map(({ name }) => name);
}

/** What a class is called; the number of its place where it has no name yet. */
const nameOf = ({ name }: OwnClass, i: number): string => name.trim() || text.value.own.className(i + 1);

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

function Classes({ task }: { task: OwnTask }) {
  const t = text.value.own;
  const { classes, retired } = task;
  // At once, and not when the worker has answered: two names may be typed before it does.
  const set = (change: (classes: OwnClass[]) => OwnClass[]) => {
    const now = own.value!;
    const next = change(now.classes);
    const rest = [...now.retired, ...now.classes].filter(({ id }) => !next.some((kept) => kept.id === id));
    own.value = { ...now, classes: next, retired: rest };
    void become(api.ownClasses(next));
  };
  const add = () => {
    const id = [...classes, ...retired].reduce((most, { id }) => Math.max(most, id), -1) + 1;
    set((classes) => [...classes, { id, name: "" }]);
  };
  const remove = (gone: OwnClass, name: string) => {
    set((classes) => classes.filter(({ id }) => id !== gone.id));
    if (isUsed(task, gone)) notice.value = { kind: "info", text: t.setAside(name) };
  };
  return (
    <section>
      <h2>{t.classes}</h2>
      <ul class="classes">
        {classes.map((kept, i) => (
          <li key={kept.id}>
            <input
              type="text"
              maxLength={40}
              aria-label={t.className(i + 1)}
              placeholder={t.className(i + 1)}
              value={kept.name}
              onInput={(event) => {
                const name = event.currentTarget.value;
                set((classes) => classes.map((one) => (one.id === kept.id ? { ...one, name } : one)));
              }}
            />
            {classes.length > 2 && (
              <button
                type="button"
                class="plain"
                aria-label={t.removeClass(nameOf(kept, i))}
                onClick={() => remove(kept, nameOf(kept, i))}
              >
                ✕
              </button>
            )}
          </li>
        ))}
        {classes.length < MOST_CLASSES && (
          <li>
            <button type="button" class="quiet" onClick={add}>
              {t.addClass}
            </button>
          </li>
        )}
        {classes.length < MOST_CLASSES &&
          retired
            .filter((gone) => isUsed(task, gone))
            .map((gone) => (
              <li key={gone.id}>
                <button type="button" class="plain" onClick={() => set((classes) => [...classes, gone])}>
                  {t.bringBack(gone.name, task.examples.filter(({ label }) => label === gone.id).length)}
                </button>
              </li>
            ))}
      </ul>
    </section>
  );
}

/** Whether there is something to bring back with a class. */
const isUsed = ({ examples }: OwnTask, { id, name }: OwnClass) =>
  name.trim() !== "" || examples.some(({ label }) => label === id);

function Examples({ task }: { task: OwnTask }) {
  const t = text.value.own;
  const [chosen, setLabel] = useState<number | null>(task.classes[0]!.id);
  // The class chosen last may have been taken away.
  const label = chosen === null || task.classes.some(({ id }) => id === chosen) ? chosen : task.classes[0]!.id;
  const [draft, setDraft] = useState(emptyDraft);
  const add = async (inputs: UserInput[]): Promise<boolean> => {
    const added = await become(api.ownAdd(inputs, label));
    if (added) notice.value = { kind: "info", text: t.added(inputs.length) };
    return added;
  };
  const addDraft = async () => {
    if (isEmpty(draft)) notice.value = { kind: "info", text: t.nothing };
    else if (await add([draft])) setDraft(emptyDraft());
  };
  const shelves: (OwnClass | null)[] = [...task.classes, null];
  const titleOf = (one: OwnClass | null, i: number) => (one ? nameOf(one, i) : t.unlabeled);
  return (
    <section>
      <h2>{t.examples}</h2>
      <p class="soft">{t.examplesAbout}</p>
      <div class="giving">
        <fieldset>
          <legend>{t.label}</legend>
          {shelves.map((one, i) => (
            <label key={one?.id ?? null}>
              <input
                type="radio"
                name="label"
                checked={label === (one?.id ?? null)}
                onChange={() => setLabel(one?.id ?? null)}
              />
              {titleOf(one, i)}
            </label>
          ))}
        </fieldset>
        <Files onInputs={add} />
        <Compose draft={draft} onChange={setDraft} />
        <button type="button" class="quiet" onClick={addDraft}>
          {t.add}
        </button>
      </div>
      <p data-test="examples">{t.number(task.examples.length)}</p>
      {shelves.map((one, i) => (
        <ClassExamples key={one?.id ?? null} name={titleOf(one, i)} task={task} label={one?.id ?? null} />
      ))}
    </section>
  );
}

/** The examples of one class, side by side. */
function ClassExamples({ name, task, label }: { name: string; task: OwnTask; label: number | null }) {
  const t = text.value.own;
  const examples = task.examples.filter((example) => example.label === label);
  if (examples.length === 0) return null;
  return (
    <div class="shelf">
      <h3>
        {name} <span class="soft">{examples.length}</span>
      </h3>
      <ul>
        {examples.map(({ id, picture, text: words, seconds, heldOut }) => {
          const what = words || (seconds > 0 ? `${seconds.toFixed(1)} s` : t.picture);
          return (
            <li key={id}>
              {picture && (
                <Canvas class="thumb" label={what} by={[picture]} draw={(canvas) => drawPicture(canvas, picture)} />
              )}
              {(words || seconds > 0) && <span>{what}</span>}
              {heldOut && <small>{t.heldOut}</small>}
              <button type="button" class="plain" aria-label={t.remove(what)} onClick={() => become(api.ownRemove(id))}>
                ✕
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Train({ task }: { task: OwnTask }) {
  const t = text.value.own;
  const now = training.value;
  const { heldOut } = tasks.own.progress.value;
  const last = heldOut.at(-1);
  const measured = task.examples.filter((example) => example.heldOut).length;
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
            ? last
              ? t.trained(text.value.percent(last.accuracy), measured)
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
