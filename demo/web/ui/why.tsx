import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Explanation, Question, TaskName } from "../shared/protocol.ts";
import { text, why } from "./settings.ts";
import { api } from "./state.ts";

/** The explanation of the question that is open, where it was asked for. */
const explanation = signal<{ answer: string; explanation: Explanation } | null>(null);

export const explanationOf = (question: Question): Explanation | undefined =>
  why.value && explanation.value?.answer === question.answer ? explanation.value.explanation : undefined;

/** What carried the decision: by how much each modality moved the answer's probability. */
export function Why({ task, question }: { task: TaskName; question: Question }) {
  const t = text.value;
  const open = why.value;
  useEffect(() => {
    if (!open) return;
    let wanted = true;
    api
      .explain(task, question.shown.id, question.action)
      .then((explained) => {
        if (wanted) explanation.value = { answer: question.answer, explanation: explained };
      })
      .catch(() => {}); // A lost device: the next question is explained again.
    return () => {
      wanted = false;
    };
  }, [task, question, open]);
  const explained = explanationOf(question);
  return (
    <section class="why">
      <button
        type="button"
        class="plain"
        aria-expanded={open}
        onClick={() => {
          why.value = !open;
        }}
      >
        {t.why.title}
      </button>
      {open && !explained && <p class="soft">{t.why.wait}</p>}
      {explained && (
        <>
          <p class="soft">{t.why.about}</p>
          <table class="level">
            <tbody>
              {Object.entries(explained.shapley).map(([modality, value]) => (
                <tr key={modality}>
                  <th scope="row">{t.modality[modality]}</th>
                  <td class="track signed">
                    <span
                      class={value < 0 ? "bar against" : "bar"}
                      style={{ width: `${50 * Math.min(1, Math.abs(value))}%` }}
                    />
                  </td>
                  <td>{`${Math.abs(value) < 0.005 ? "" : value < 0 ? "−" : "+"}${t.percent(Math.abs(value))}`}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p class="soft">{t.why.base(t.percent(explained.base))}</p>
        </>
      )}
    </section>
  );
}
