/** What only browsers have: the feedback log in IndexedDB. It needs the package `idb`. */
export { openFeedbackLog } from "./browser/feedback-log.ts";
export { inOneTransaction, storageProblem } from "./browser/transaction.ts";
