import { useState } from "preact/hooks";
import type { OwnClass, OwnTask, UserInput } from "../shared/protocol.ts";
import { Canvas } from "./canvas.tsx";
import { Compose, emptyDraft, Files, isEmpty } from "./compose.tsx";
import { drawPicture } from "./draw.ts";
import { become, nameOf } from "./own-state.ts";
import { text } from "./settings.ts";
import { api, notice } from "./state.ts";

/** Examples: given to a class, and listed by class. */
export function Examples({ task }: { task: OwnTask }) {
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
