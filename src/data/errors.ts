/** Data that is missing, cut off or not what it claims to be. */
export class DataError extends Error {
  override readonly name = "DataError";
}
