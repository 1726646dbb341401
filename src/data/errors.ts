/** Data that cannot be what it claims to be. The message names what was found, what was expected and what to do. */
export class DataError extends Error {
  /** Tells it from other errors, also across realms. */
  override readonly name = "DataError";
}
