/** Waits for news of the device: that work is done, that something compiled. */
export type Wait = <T>(news: Promise<T>) => Promise<T>;

/** In a browser news come by themselves. */
export const awaitNews: Wait = (news) => news;
