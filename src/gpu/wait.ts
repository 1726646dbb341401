/** Waits for GPU promises: that work is done, that something compiled. */
export type Wait = <T>(completion: Promise<T>) => Promise<T>;

/** In a browser news come by themselves. */
export const awaitCompletion: Wait = (completion) => completion;
