import { batchOf, DataError, Random } from "handgrad/data";
import { networkConfig, recurringHint } from "../../learner/learner.ts";
import { type TriDigit, TriDigits, triDigitsShape } from "../../tridigits/tridigits.ts";
import type { Picture, Shown } from "../shared/protocol.ts";
import type { Task } from "./task.ts";

/** As in the terminal program, so that weights and judgements of either are of use to the other. */
const SEED = 1;
const LABELS = 300;
/** Held-out examples that accuracy is measured by. */
const HELD_OUT = 300;

/** The digits: 300 with labels, 5,700 to be asked about in the order of a seed, and others to measure by. */
export function digitsTask(data: TriDigits, seed = SEED): Task<TriDigit> {
  const stream = data.set("stream", SEED);
  const ids = stream.places.map((_, i) => stream.idAt(i));
  const places = new Map(ids.map((id, i) => [id, i]));
  let labeled: TriDigit[] | undefined;
  let heldOut: TriDigit[] | undefined;
  return {
    name: "digits",
    classes: Array.from({ length: triDigitsShape.classes }, (_, i) => String(i)),
    config: networkConfig(data),
    configOf: ({ tensors }) => networkConfig(data, { version: tensors.has("late.text.hidden.weight") ? 2 : 1 }),
    // Made when first needed: the first question must not wait for them.
    get labeled() {
      labeled ??= [...data.set("start", SEED, LABELS)];
      return labeled;
    },
    get heldOut() {
      heldOut ??= [...data.set("validation", SEED, HELD_OUT)];
      return heldOut;
    },
    unlabeled: stream,
    recurring: recurringHint,
    questions: new Random("questions", seed).shuffle(ids),
    find: (id) => {
      const place = places.get(id);
      return place === undefined ? undefined : stream.at(place);
    },
    batchOf,
    show,
  };
}

function show(example: TriDigit): Shown {
  const [, height, width] = triDigitsShape.image;
  const picture = (data: Float32Array): Picture => ({ channels: 1, height, width, data });
  return {
    id: example.id,
    label: example.label,
    picture: picture(example.image),
    clean: picture(example.clean()),
    sound: { samples: example.wave(), rate: triDigitsShape.rate },
    spectrogram: { data: example.audio, frames: example.frames, bands: triDigitsShape.bands },
    words: example.hint === "" ? [] : example.hint.split(" "),
    speaker: example.speaker,
  };
}

/** Fetches the data from beside the page. @throws DataError naming the file that is missing or damaged. */
export async function fetchDigits(folder: URL): Promise<TriDigits> {
  const bytes = (name: string) => fetchBytes(new URL(name, folder));
  const json = async (name: string) => JSON.parse(new TextDecoder().decode(await bytes(name))) as unknown;
  const [images, labels, clips, clipsIndex, hints] = await Promise.all([
    bytes("images.u8.gz").then(gunzip),
    bytes("labels.u8.gz").then(gunzip),
    bytes("clips.ulaw"),
    json("clips.json"),
    json("hints.json"),
  ]);
  return new TriDigits({ images, labels, clips, clipsIndex, hints });
}

export async function fetchBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new DataError(`${url.pathname}: the server answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

export async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  // A server may have unpacked a .gz file on the way; the first two bytes tell.
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
