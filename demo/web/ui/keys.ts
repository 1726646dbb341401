import type { TaskName } from "../shared/protocol.ts";
import { type Action, actions, keys } from "./settings.ts";
import { play } from "./sound.ts";
import { classesOf, judge, tasks, undo } from "./state.ts";

/** The key of a class: a digit's own key, or the number of the class from 1 on. */
export const keyOfClass = (task: TaskName, i: number): string => (task === "digits" ? String(i) : String((i + 1) % 10));

const same = (a: string, b: string) => a === b || (a.length === 1 && a.toLowerCase() === b.toLowerCase());

/** Does what the key pressed is for; false where it is for nothing. */
function press(task: TaskName, key: string): boolean {
  const question = tasks[task].question.value;
  const action = actions.find((action) => same(keys.value[action], key));
  if (action) {
    const work: Record<Action, () => void> = {
      right: () => judge(task, { reward: 1 }),
      wrong: () => judge(task, { reward: -1 }),
      skip: () => judge(task, { reward: null }),
      undo: () => undo(task),
      play: () => question?.shown.sound && play(question.shown.sound),
    };
    work[action]();
    return true;
  }
  const label = classesOf(task).findIndex((_, i) => keyOfClass(task, i) === key);
  if (label < 0 || !question) return false;
  void judge(task, { reward: null, label });
  return true;
}

/** Listens for the keys of judging; gives what ends that. Typing, sliders, and Space on a button keep their keys. */
export function listen(task: TaskName): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const target = event.target as Element;
    if (target.closest("input, textarea, select, [contenteditable], dialog")) return;
    if (target.closest("button, a, summary") && (event.key === " " || event.key === "Enter")) return;
    if (press(task, event.key)) event.preventDefault();
  };
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
