import type { TaskName } from "../shared/protocol.ts";
import { type Action, keyName, keys, text } from "./settings.ts";
import { classesOf, judge, simulated, tasks, undo } from "./state.ts";

const marks: Partial<Record<Action, string>> = { right: "✓", wrong: "✗" };

/** The buttons of judging, each with its key; on a phone, where the answer is further up, it stands here once more. */
export function Actions({ task }: { task: TaskName }) {
  const t = text.value.judge;
  const question = tasks[task].question.value;
  const closed = question === null || simulated.value;
  const button = (action: Exclude<Action, "play">, onClick: () => void, disabled: boolean) => (
    <button type="button" class={action} onClick={onClick} disabled={disabled}>
      {marks[action] && <span aria-hidden="true">{marks[action]} </span>}
      {t[action]} <kbd>{keyName(keys.value[action])}</kbd>
    </button>
  );
  return (
    <div class="actions">
      {question && (
        <p class="brief" aria-hidden="true">
          {t.says} <strong>{classesOf(task)[question.action]}</strong>{" "}
          <span>{t.sure(text.value.percent(question.probabilities[question.action]!))}</span>
        </p>
      )}
      {button("wrong", () => judge(task, { reward: -1 }), closed)}
      {button("right", () => judge(task, { reward: 1 }), closed)}
      <div class="minor">
        {button("skip", () => judge(task, { reward: null }), closed)}
        {button("undo", () => undo(task), simulated.value)}
      </div>
    </div>
  );
}
