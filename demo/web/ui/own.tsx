import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Answered, Material, OwnTask } from "../shared/protocol.ts";
import { Actions } from "./actions.tsx";
import { Answer, Bars } from "./answer.tsx";
import { Canvas } from "./canvas.tsx";
import { Compose, emptyDraft, Files, isEmpty } from "./compose.tsx";
import { drawPicture } from "./draw.ts";
import { listen } from "./keys.ts";
import { text } from "./settings.ts";
import { fail, lab, notice, ownClasses, tasks, training } from "./state.ts";
import { Viewer } from "./viewer.tsx";
import { explanationOf, Why } from "./why.tsx";

const MOST_CLASSES = 10;
const own = signal<OwnTask | null>(null);

/** Takes over what the worker says of the task now. */
async function become(next: Promise<OwnTask>): Promise<void> {
  try {
    const task = await next;
    // Names are typed here: what the worker had heard when it answered may be older than what stands in the fields.
    own.value = { ...task, classes: own.value?.classes ?? task.classes };
    ownClasses.value = own.value.classes;
  } catch (error) {
    fail(error);
  }
}

/** The person's own task, from the names of its classes to trying it. */
export function Own() {
  const t = text.value.own;
  useEffect(() => {
    void become(lab.own());
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
      {task.trained && <Try classes={task.classes} />}
    </section>
  );
}

function Classes({ task }: { task: OwnTask }) {
  const t = text.value.own;
  const { classes } = task;
  // At once, and not when the worker has answered: two names may be typed before it does.
  const set = (change: (classes: string[]) => string[]) => {
    const next = change(own.value!.classes);
    own.value = { ...own.value!, classes: next };
    void become(lab.ownClasses(next));
  };
  return (
    <section>
      <h2>{t.classes}</h2>
      <ul class="classes">
        {classes.map((name, i) => (
          // A class is its place.
          <li key={i}>
            <input
              type="text"
              maxLength={40}
              aria-label={t.className(i + 1)}
              placeholder={t.className(i + 1)}
              value={name}
              onInput={(event) => set((classes) => classes.with(i, event.currentTarget.value))}
            />
            {i === classes.length - 1 && classes.length > 2 && (
              <button
                type="button"
                class="plain"
                aria-label={t.removeClass(name || t.className(i + 1))}
                onClick={() => set((classes) => classes.slice(0, -1))}
              >
                ✕
              </button>
            )}
          </li>
        ))}
        {classes.length < MOST_CLASSES && (
          <li>
            <button type="button" class="quiet" onClick={() => set((classes) => [...classes, ""])}>
              {t.addClass}
            </button>
          </li>
        )}
      </ul>
    </section>
  );
}

function Examples({ task }: { task: OwnTask }) {
  const t = text.value.own;
  const [label, setLabel] = useState<number | null>(0);
  const [draft, setDraft] = useState(emptyDraft);
  const add = async (materials: Material[]) => {
    await become(lab.ownAdd(materials, label));
    notice.value = { kind: "info", text: t.added(materials.length) };
  };
  const addDraft = () => {
    if (isEmpty(draft)) {
      notice.value = { kind: "info", text: t.nothing };
      return;
    }
    void add([draft]).then(() => setDraft(emptyDraft()));
  };
  const nameOf = (i: number) => task.classes[i]?.trim() || t.className(i + 1);
  return (
    <section>
      <h2>{t.examples}</h2>
      <p class="soft">{t.examplesAbout}</p>
      <div class="giving">
        <fieldset>
          <legend>{t.label}</legend>
          {[...task.classes.keys(), null].map((i) => (
            <label key={i}>
              <input type="radio" name="label" checked={label === i} onChange={() => setLabel(i)} />
              {i === null ? t.unlabelled : nameOf(i)}
            </label>
          ))}
        </fieldset>
        <Files onMaterials={add} />
        <Compose draft={draft} onChange={setDraft} />
        <button type="button" class="quiet" onClick={addDraft}>
          {t.add}
        </button>
      </div>
      <p data-test="examples">{t.number(task.examples.length)}</p>
      {[...task.classes.keys(), null].map((i) => (
        <Shelf key={i} name={i === null ? t.unlabelled : nameOf(i)} task={task} label={i} />
      ))}
    </section>
  );
}

/** The examples of one class, side by side. */
function Shelf({ name, task, label }: { name: string; task: OwnTask; label: number | null }) {
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
              <button type="button" class="plain" aria-label={t.remove(what)} onClick={() => become(lab.ownRemove(id))}>
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
  const [busy, setBusy] = useState(false);
  const now = training.value;
  const { heldOut } = tasks.own.progress.value;
  const last = heldOut.at(-1);
  const measured = task.examples.filter((example) => example.heldOut).length;
  const press = async () => {
    training.value = null;
    setBusy(true);
    await become(lab.ownTrain());
    setBusy(false);
  };
  return (
    <section>
      <h2>{t.train}</h2>
      {!task.trainable && <p>{t.needs}</p>}
      <p>
        <button type="button" class="right" onClick={press} disabled={busy || !task.trainable}>
          {task.trained ? t.again : t.trainButton}
        </button>
      </p>
      {busy && <progress max={now?.of ?? 1} value={now?.done ?? 0} aria-label={t.train} />}
      <p role="status" data-test="trained">
        {busy
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
  const ask = (material: Material) => lab.ownPredict(material).then(setAnswered).catch(fail);
  return (
    <section class="try">
      <h2>{t.test}</h2>
      <p class="soft">{t.testAbout}</p>
      <div class="giving">
        <Files
          onMaterials={([material]) => {
            setDraft({ ...emptyDraft(), ...material });
            void ask(material!);
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
