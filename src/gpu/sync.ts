/*
 * What records a step must do so at once: after an `await` the step is closed, and another may be open.
 */

/** @throws TypeError for a function that cannot be synchronous; nothing of it has run then. */
export function refuseAsync(operation: string, fn: () => unknown): void {
  if (typeof fn !== "function") throw new TypeError(`${operation}: expected a function, found ${fn}.`);
  const kind = Object.prototype.toString.call(fn);
  if (kind === "[object AsyncFunction]" || kind === "[object AsyncGeneratorFunction]") throw notSynchronous(operation);
  if (kind === "[object GeneratorFunction]") throw notSynchronous(operation);
}

/** @throws TypeError for a promise in place of a result. What becomes of it is told to nobody else. */
export function refusePromise(operation: string, result: unknown): void {
  refusePromises(operation, [result]);
}

/** The same for what a result holds. @throws TypeError where any of it is a promise. */
export function refusePromises(operation: string, results: readonly unknown[]): void {
  const promises = results.filter(isPromise);
  for (const promise of promises) Promise.resolve(promise).catch(() => {});
  if (promises.length > 0) throw notSynchronous(operation);
}

const isPromise = (x: unknown) =>
  ((typeof x === "object" && x !== null) || typeof x === "function") &&
  typeof (x as { then?: unknown }).then === "function";

const notSynchronous = (operation: string) =>
  new TypeError(`${operation}: the function must work synchronously; await before or after it, not within.`);
