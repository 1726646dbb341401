import { Tensor } from "../autograd/index.ts";

/** SHA-256 of arrays' bytes, in hex, cut to 16 digits: a name, not a seal. */
export async function hashOf(arrays: readonly ArrayBufferView[]): Promise<string> {
  const bytes = new Uint8Array(arrays.reduce((n, a) => n + a.byteLength, 0));
  let at = 0;
  for (const a of arrays) {
    bytes.set(new Uint8Array(a.buffer, a.byteOffset, a.byteLength), at);
    at += a.byteLength;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest.subarray(0, 8), (b) => b.toString(16).padStart(2, "0")).join("");
}

/**
 * The hash of what an example is to the network: of all that its batch holds, whatever the fields are called: numbers and
 * texts, typed arrays, tensors and lists of them. The fields' order makes no difference. A label is no part of what is
 * seen, and a function no part of an example.
 *
 * @throws TypeError naming a field that holds itself.
 */
export async function hashOfBatch(batch: unknown): Promise<string> {
  const parts: ArrayBufferView[] = [];
  const within = new Set<unknown>();

  async function add(value: unknown, path: string): Promise<void> {
    if (value instanceof Tensor) {
      const data = await value.data();
      parts.push(text(`tensor ${value.shape} ${data.constructor.name}`), data);
    } else if (ArrayBuffer.isView(value)) {
      parts.push(text(`${value.constructor.name} ${value.byteLength}`), value);
    } else if (value instanceof ArrayBuffer) {
      await add(new Uint8Array(value), path);
    } else if (isNumbers(value)) {
      await add(Float64Array.from(value), path);
    } else if (typeof value === "object" && value !== null) {
      if (within.has(value))
        throw new TypeError(`learner: ${path} of the batch holds itself, expected numbers or lists.`);
      within.add(value);
      const fields = fieldsOf(value).filter(([name]) => path !== "" || name !== "label");
      parts.push(text(`fields ${fields.length}`));
      for (const [name, one] of fields) {
        parts.push(text(name));
        await add(one, path === "" ? name : `${path}.${name}`);
      }
      within.delete(value);
    } else parts.push(text(`${typeof value} ${String(value)}`));
  }

  await add(batch, "");
  return hashOf(parts);
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((x) => typeof x === "number");

/** What an object holds, by name; lists in their order, all else sorted. */
function fieldsOf(value: object): [string, unknown][] {
  if (Array.isArray(value) || value instanceof Set) return Array.from(value, (one, i) => [String(i), one]);
  const all: [string, unknown][] =
    value instanceof Map ? Array.from(value, ([name, one]) => [String(name), one]) : Object.entries(value);
  return all
    .filter(([, one]) => one !== undefined && typeof one !== "function")
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** A text's bytes behind their number, so that two parts never run together. */
function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return new TextEncoder().encode(`${bytes.length}:${value};`);
}
