/**
 * Who may work with the weights, and when: those who only read them all at once, one who changes them alone. Each waits
 * for those who asked before, and a failure reaches its own caller only.
 */
export class Turns {
  #changed: Promise<void> = Promise.resolve();
  #read: Promise<void> = Promise.resolve();

  /** Does a task that reads, once those that change are done which came before. */
  read<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#changed.then(task);
    this.#read = Promise.all([this.#read, settled(done)]).then(() => {});
    return done;
  }

  /** Does a task that changes, once all are done which came before. */
  change<T>(task: () => Promise<T>): Promise<T> {
    const done = Promise.all([this.#changed, this.#read]).then(task);
    this.#changed = settled(done);
    return done;
  }
}

const settled = (promise: Promise<unknown>): Promise<void> =>
  promise.then(
    () => {},
    () => {},
  );
