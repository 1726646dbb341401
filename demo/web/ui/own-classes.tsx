import type { OwnClass, OwnTask } from "../shared/protocol.ts";
import { become, isUsed, nameOf, own } from "./own-state.ts";
import { text } from "./settings.ts";
import { api, notice } from "./state.ts";

const MOST_CLASSES = 10;

/** The names of the classes: changed, added, set aside, brought back. */
export function Classes({ task }: { task: OwnTask }) {
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
