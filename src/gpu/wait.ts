/** Waits for GPU promises, such as the end of submitted work: the option `wait` of `createEngine`. It resolves as the promise does. */
export type Wait = <T>(completion: Promise<T>) => Promise<T>;

/** Browsers resolve GPU promises by themselves. */
export const awaitCompletion: Wait = (completion) => completion;
