import type { OwnClass } from "../shared/protocol.ts";
import type { OwnRecord, OwnSettings } from "./storage.ts";

/*
 * An own task as a file: its classes, those set aside as well, and all examples. What was judged of them is a file of its
 * own, as everywhere.
 */

const FORM = "own task of handgrad";
const MOST_SIDE = 4096;

/** One text in JSON. */
export function encodeOwn({ classes, retired }: OwnSettings, records: readonly OwnRecord[]): string {
  const examples = records.map(({ picture, sound, ...record }) => ({
    ...record,
    picture: picture && { size: picture.size, rgb: toBase64(picture.rgb) },
    sound: sound && { rate: sound.rate, samples: toBase64(new Uint8Array(Float32Array.from(sound.samples).buffer)) },
  }));
  return JSON.stringify({ form: FORM, v: 1, classes, retired, examples });
}

export interface OwnFile {
  classes: OwnClass[];
  retired: OwnClass[];
  records: OwnRecord[];
}

/** @throws Error that names the file and what is wrong in it. */
export function decodeOwn(text: string, file: string): OwnFile {
  const expect: Expect = (holds, what) => {
    if (!holds) throw new Error(`${file}: ${what}.`);
  };
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    expect(false, "this is not JSON");
  }
  expect(isObject(content) && content.form === FORM && content.v === 1, "this is no own task that this page saved");
  const { classes, retired, examples } = content as Record<string, unknown>;
  const named = [...classList(classes, "classes", expect), ...classList(retired, "retired", expect)];
  const ids = new Set(named.map(({ id }) => id));
  expect(ids.size === named.length, "two classes have one id");
  expect((classes as unknown[]).length >= 2, "there are fewer than two classes");
  expect(Array.isArray(examples), "examples must be a list");
  const records = (examples as unknown[]).map((example, i) =>
    recordFrom(example, ids, (holds, what) => expect(holds, `example ${i + 1}: ${what}`)),
  );
  expect(new Set(records.map(({ id }) => id)).size === records.length, "two examples have one id");
  return { classes: classes as OwnClass[], retired: retired as OwnClass[], records };
}

type Expect = (holds: boolean, what: string) => void;
const isObject = (x: unknown): x is Record<string, unknown> => typeof x === "object" && x !== null && !Array.isArray(x);

function classList(list: unknown, what: string, expect: Expect): OwnClass[] {
  expect(Array.isArray(list), `${what} must be a list`);
  return (list as unknown[]).map((one) => {
    const isClass = isObject(one) && Number.isSafeInteger(one.id) && typeof one.name === "string";
    expect(isClass, `${what}: each has a whole number as id, and a name`);
    // Every field was checked above.
    return one as unknown as OwnClass;
  });
}

function recordFrom(value: unknown, classes: ReadonlySet<number>, expect: Expect): OwnRecord {
  expect(isObject(value), "this is none");
  const { id, label, text, picture, sound } = value as Record<string, unknown>;
  expect(typeof id === "string" && id.startsWith("own/"), 'its id must begin with "own/"');
  expect(label === null || classes.has(label as number), `there is no class ${JSON.stringify(label)}`);
  expect(typeof text === "string", "its text must be a string");
  expect(picture === null || isObject(picture), "its picture must be an object or null");
  expect(sound === null || isObject(sound), "its sound must be an object or null");
  const record: OwnRecord = {
    id: id as string,
    label: label as number | null,
    picture: null,
    sound: null,
    text: text as string,
  };
  if (isObject(picture)) {
    const { size, rgb } = picture;
    const bytes = fromBase64(rgb);
    const isSide = Number.isSafeInteger(size) && (size as number) > 0 && (size as number) <= MOST_SIDE;
    expect(isSide && bytes?.length === 3 * (size as number) ** 2, "its picture must be a square of 3 bytes a pixel");
    record.picture = { size: size as number, rgb: bytes! };
  }
  if (isObject(sound)) {
    const bytes = fromBase64(sound.samples);
    const rate = sound.rate as number;
    expect(
      Number.isFinite(rate) && rate > 0 && bytes !== undefined && bytes.length % 4 === 0,
      "its sound has no samples",
    );
    const samples = new Float32Array(bytes!.buffer);
    expect(samples.every(Number.isFinite), "its sound holds what is no finite number");
    record.sound = { samples, rate };
  }
  return record;
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: unknown): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text as string), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}
