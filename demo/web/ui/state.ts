import { signal } from "@preact/signals";
import { proxy, wrap } from "comlink";
import type {
  Effect,
  Opening,
  Progress,
  Question,
  Standing,
  TaskName,
  Verdict,
  WorkerEvent,
} from "../shared/protocol.ts";
import type { RemoteApi, WorkerApi } from "../worker/api.ts";
import { text } from "./settings.ts";
import { learnedBy, MOST_TAUGHT, type Taught, taughtBy } from "./taught.ts";
import { ownWorker } from "./trusted.ts";

/* What the page knows, and what a person can do: the only place that talks to the worker. */

const nothing: Progress = {
  counts: { judged: 0, right: 0, wrong: 0, skipped: 0, simulated: 0, waiting: 0 },
  updates: [],
  heldOut: [],
};
const taskState = () => ({
  question: signal<Question | null>(null),
  progress: signal<Progress>(nothing),
  learning: signal(false),
  standing: signal<Standing | null>(null),
  /** What the person said on this visit, the newest first, and what the last update did of it. */
  taught: signal<readonly Taught[]>([]),
  effects: signal<readonly Effect[]>([]),
});

export const opening = signal<Opening | null>(null);
export const tasks = { digits: taskState(), own: taskState() } satisfies Record<TaskName, unknown>;
export const simulated = signal(false);
export const training = signal<{ done: number; of: number; loss: number } | null>(null);
export const notice = signal<{ kind: "info" | "error"; text: string } | null>(null);
/** Said by screen readers. */
export const spoken = signal("");

export const classesOf = (task: TaskName): readonly string[] =>
  task === "digits" ? (opening.value?.ok ? opening.value.opened.classes : []) : ownClasses.value;
export const ownClasses = signal<readonly string[]>([]);

const worker = ownWorker("worker.js");
export const api: RemoteApi = wrap<WorkerApi>(worker);

/** A worker that does not begin answers nothing, so whoever waits for it is told by this. */
const broken = new Promise<never>((_, reject) => {
  worker.onerror = ({ message }) => reject(new Error(message || "worker.js does not load"));
});
broken.catch(() => {});

/** Another order of questions, by the page's address: `?seed=2`. */
function seed(): number | undefined {
  const given = Number(new URLSearchParams(location.search).get("seed") ?? Number.NaN);
  return Number.isSafeInteger(given) && given >= 0 ? given : undefined;
}

export async function open(): Promise<void> {
  opening.value = null;
  try {
    const result = await Promise.race([api.open(new URL(".", document.baseURI).href, proxy(hear), seed()), broken]);
    opening.value = result;
    if (!result.ok) return;
    tasks.digits.progress.value = result.opened.progress;
    // It may have been measured meanwhile, which was told.
    tasks.digits.standing.value ??= result.opened.standing;
    ask("digits", result.opened.question);
  } catch (error) {
    opening.value = { ok: false, startupError: "other", message: messageOf(error) };
  }
}

function hear(event: WorkerEvent): void {
  switch (event.kind) {
    case "progress":
      tasks[event.task].progress.value = event.progress;
      break;
    case "question":
      ask(event.task, event.question);
      break;
    case "learning":
      tasks[event.task].learning.value = event.on;
      break;
    case "learned":
      tasks[event.task].taught.value = learnedBy(tasks[event.task].taught.value, event.effects);
      tasks[event.task].effects.value = event.effects;
      break;
    case "measured":
      tasks[event.task].standing.value = event.standing;
      break;
    case "simulated":
      simulated.value = event.on;
      spoken.value = event.on ? text.value.simulated.running : text.value.simulated.done;
      break;
    case "training":
      training.value = event;
      // What was said to the network before is no news of the one that is trained.
      tasks.own.taught.value = [];
      tasks.own.effects.value = [];
      break;
    case "lost":
      notice.value = { kind: "info", text: text.value.notices.lost };
      break;
    case "recovered":
      notice.value = { kind: "info", text: text.value.notices.recovered };
      break;
    case "blocked":
      notice.value = { kind: "info", text: text.value.keep.wipeBlocked };
      break;
    case "error":
      fail(event.message);
  }
}

function ask(task: TaskName, question: Question | null): void {
  const asked = tasks[task].question;
  if (question?.answer === asked.value?.answer) return;
  asked.value = question;
  if (!question) return;
  spoken.value = text.value.judge.announce(classesOf(task)[question.action] ?? "", percentOf(question));
}

const percentOf = ({ probabilities, action }: Question) => text.value.percent(probabilities[action]!);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export function fail(error: unknown): void {
  notice.value = { kind: "error", text: text.value.notices.error(messageOf(error)) };
}

/** One thing at a time: a key pressed twice judges once. */
let busy = false;
async function once(work: () => Promise<void>): Promise<void> {
  if (busy) return;
  busy = true;
  try {
    await work();
  } catch (error) {
    fail(error);
  } finally {
    busy = false;
  }
}

export const judge = (task: TaskName, verdict: Verdict): Promise<void> =>
  once(async () => {
    const question = tasks[task].question.value;
    if (!question || simulated.value) return;
    const next = await api.judge(task, question.answer, verdict);
    const taught = taughtBy(question, verdict);
    if (taught) tasks[task].taught.value = [taught, ...tasks[task].taught.value].slice(0, MOST_TAUGHT);
    ask(task, next);
  });

export const undo = (task: TaskName): Promise<void> =>
  once(async () => {
    if (simulated.value) return;
    ask(task, await api.undo(task));
    const asked = tasks[task].question.value?.shown.id;
    tasks[task].taught.value = tasks[task].taught.value.filter(({ example }) => example !== asked);
    spoken.value = `${text.value.judge.undone} ${spoken.value}`;
  });

/** Gives the person a file. */
export function saveFile(name: string, content: BlobPart, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
