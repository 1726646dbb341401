import { signal } from "@preact/signals";
import type { OwnClass, OwnTask } from "../shared/protocol.ts";
import { text } from "./settings.ts";
import { api, fail, ownClasses } from "./state.ts";

/** The task as it stands on the screen; null while it is asked for. */
export const own = signal<OwnTask | null>(null);

/** Takes over what the worker says of the task now; gives whether what was asked of it was done. */
export async function become(next: Promise<OwnTask>): Promise<boolean> {
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
export const nameOf = ({ name }: OwnClass, i: number): string => name.trim() || text.value.own.className(i + 1);

/** Whether there is something to bring back with a class. */
export const isUsed = ({ examples }: OwnTask, { id, name }: OwnClass): boolean =>
  name.trim() !== "" || examples.some(({ label }) => label === id);
