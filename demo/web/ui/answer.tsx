import type { Answered, Question, TaskName } from "../shared/protocol.ts";
import { keyOfClass } from "./keys.ts";
import { text } from "./settings.ts";
import { classesOf, judge } from "./state.ts";

/** What the network says, and how sure it is of every class; pressing a class says that it is the right one. */
export function Answer({ task, question }: { task: TaskName; question: Question }) {
  const t = text.value;
  const { probabilities, action } = question;
  const classes = classesOf(task);
  return (
    <section class="answer">
      <h2>{t.judge.says}</h2>
      <p class="says" data-answer={question.answer}>
        <strong class={classes[action]!.length > 2 ? "long" : ""}>{classes[action]}</strong>
        <span>{t.judge.sure(t.percent(probabilities[action]!))}</span>
      </p>
      <ul class="bars" aria-label={t.judge.bars}>
        {probabilities.map((p, i) => (
          <li key={classes[i]}>
            <button
              type="button"
              class={i === action ? "chosen" : ""}
              title={t.judge.barLabel(classes[i]!, t.percent(p))}
              onClick={() => judge(task, { reward: null, label: i })}
            >
              <kbd>{keyOfClass(task, i)}</kbd>
              {task === "own" && <span class="class">{classes[i]}</span>}
              <span class="track">
                <span class="bar" style={{ width: `${Math.max(0.6, 100 * p)}%` }} />
              </span>
              <span class="share">{t.percent(p)}</span>
              <span class="unseen">{t.judge.barLabel(classes[i]!, t.percent(p))}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The probabilities alone, to be read and not pressed. */
export function Bars({ classes, answered }: { classes: readonly string[]; answered: Answered }) {
  const t = text.value;
  return (
    <table class="level">
      <tbody>
        {answered.probabilities.map((p, i) => (
          <tr key={classes[i]}>
            <th scope="row">{classes[i]}</th>
            <td class="track">
              <span class="bar" style={{ width: `${Math.max(0.6, 100 * p)}%` }} />
            </td>
            <td>{t.percent(p)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
