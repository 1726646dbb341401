import {
  channelsFirst,
  fromChannelsFirst,
  type Image,
  imagePipeline,
  LogMel,
  randomNoise,
  randomShift,
  resize,
  Tokenizer,
} from "handgrad/data";
import type { LabeledBatch, Modality, MultimodalConfig } from "handgrad/model";
import type { OwnExample, Picture, Shown, UserInput } from "../shared/protocol.ts";
import type { OwnRecord, OwnSettings } from "./storage.ts";
import type { Task, TaskExample } from "./task.ts";

/*
 * A task that a person made: their examples as the network takes them. The network takes those modalities that any
 * example has; what an example lacks is marked as not present.
 */

/** Side of a picture for the network. */
const SIDE = 28;
const RATE = 8000;
const FRAMES = 100;
const BANDS = 32;
const WORDS = 16;
const VOCABULARY = 500;
/** Of the examples of each class, every fourth is kept to measure by. */
const HELD_OUT = 4;

const features = new LogMel({ sampleRate: RATE, bands: BANDS, maxFrames: FRAMES });
const augmented = imagePipeline(1, [randomShift(2), randomNoise(0.03)]);

export interface OwnItem extends TaskExample {
  readonly image: Image | undefined;
  readonly words: Int32Array;
  readonly audio: Float32Array;
  readonly frames: number;
  readonly record: OwnRecord;
}

/** Whether each example is kept out of training, by id. */
export function heldOutOf(records: readonly OwnRecord[]): Set<string> {
  const seen = new Map<number, number>();
  const held = new Set<string>();
  for (const { id, label } of records) {
    if (label === null) continue;
    const n = (seen.get(label) ?? 0) + 1;
    seen.set(label, n);
    if (n % HELD_OUT === 0) held.add(id);
  }
  return held;
}

/** Two classes with two examples each are the least that can be trained on. */
export const isTrainable = ({ classes }: OwnSettings, records: readonly OwnRecord[]): boolean =>
  classes.length >= 2 &&
  classes.every(({ id, name }) => name.trim() !== "" && records.filter(({ label }) => label === id).length >= 2);

/** The words of all texts; by character where there is Chinese, Japanese or Korean among them. */
export function tokenizerOf(records: readonly OwnRecord[]): Tokenizer {
  const texts = records.map(({ text }) => text).filter((text) => text !== "");
  const byCharacter = texts.some((text) => /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/.test(text));
  return Tokenizer.fit(texts, {
    numWords: VOCABULARY,
    outOfVocabulary: "<unknown>",
    ...(byCharacter ? { level: "character" as const } : {}),
  });
}

export class OwnTask implements Task<OwnItem> {
  readonly name = "own";
  readonly classes: readonly string[];
  readonly config: MultimodalConfig;
  readonly labeled: OwnItem[] = [];
  readonly heldOut: OwnItem[] = [];
  readonly questions: string[] = [];
  /** Of each class, by its id. */
  readonly #places: ReadonlyMap<number, number>;
  readonly #tokenizer: Tokenizer;
  readonly #items = new Map<string, OwnItem>();
  readonly #modalities: readonly Modality[];

  constructor(settings: OwnSettings, records: readonly OwnRecord[], modalities: readonly Modality[]) {
    this.classes = settings.classes.map(({ name }) => name);
    this.#places = new Map(settings.classes.map(({ id }, place) => [id, place]));
    this.#tokenizer = Tokenizer.fromJSON(settings.tokenizer);
    this.#modalities = modalities;
    this.config = {
      image: modalities.includes("image") ? { shape: [3, SIDE, SIDE] } : undefined,
      text: modalities.includes("text") ? { vocabSize: Math.max(3, this.#tokenizer.size) } : undefined,
      audio: modalities.includes("audio") ? { features: BANDS } : undefined,
      head: { outputs: settings.classes.length, dropout: 0.2 },
      modalityDropout: modalities.length > 1 ? 0.1 : 0,
    };
    const held = heldOutOf(records);
    for (const record of records) {
      // Examples of a class that was taken away are set aside with it.
      if (record.label !== null && !this.#places.has(record.label)) continue;
      const item = this.item(record);
      this.#items.set(record.id, item);
      if (record.label === null) this.questions.push(record.id);
      else if (held.has(record.id)) this.heldOut.push(item);
      else this.labeled.push(item);
    }
  }

  item(record: OwnRecord): OwnItem {
    const { id, label, picture, sound, text } = record;
    const audio = new Float32Array(FRAMES * BANDS);
    const frames = sound && sound.samples.length > 0 ? features.of(sound.samples, audio).frames : 0;
    return {
      id,
      label: label === null ? -1 : this.#places.get(label)!,
      image: picture
        ? resize(fromChannelsFirst(floatsOf(picture.rgb), [3, picture.size, picture.size]), SIDE, SIDE)
        : undefined,
      words: this.#tokenizer.encode(text, WORDS),
      audio,
      frames,
      record,
    };
  }

  find(id: string): OwnItem | undefined {
    return this.#items.get(id);
  }

  /** With an epoch, pictures are moved a little and made noisy, another way in each. */
  batchOf(items: readonly OwnItem[], epoch?: number): LabeledBatch {
    const N = items.length;
    const image = new Float32Array(N * 3 * SIDE * SIDE);
    const words = new Int32Array(N * WORDS);
    const audio = new Float32Array(N * FRAMES * BANDS);
    const present = new Float32Array(N * this.#modalities.length);
    items.forEach((item, n) => {
      if (item.image) {
        const seen = epoch === undefined ? item.image : augmented(item.image, epoch, item.id);
        image.set(channelsFirst(seen), n * 3 * SIDE * SIDE);
      }
      words.set(item.words, n * WORDS);
      audio.set(item.audio, n * FRAMES * BANDS);
      const has = presenceOf(item.record);
      this.#modalities.forEach((m, i) => {
        present[n * this.#modalities.length + i] = has[m] ? 1 : 0;
      });
    });
    return {
      image,
      words,
      audio,
      // A recurrence needs a frame to read, also where the sound is marked as missing.
      frames: Int32Array.from(items, ({ frames }) => Math.max(1, frames)),
      present,
      label: Int32Array.from(items, ({ label }) => label),
    };
  }

  show({ record, label, audio, frames }: OwnItem): Shown {
    return {
      id: record.id,
      label: label < 0 ? null : label,
      picture: pictureOf(record),
      clean: null,
      sound: record.sound,
      spectrogram: record.sound ? { data: audio, frames, bands: BANDS } : null,
      words: record.text === "" ? [] : record.text.split(/\s+/),
      speaker: null,
    };
  }
}

const presenceOf = ({ picture, sound, text }: OwnRecord): Record<Modality, boolean> => ({
  image: picture !== null,
  text: text !== "",
  audio: sound !== null && sound.samples.length > 0,
});

/** The modalities that any example has. */
export const modalitiesOf = (records: readonly OwnRecord[]): Modality[] =>
  (["image", "text", "audio"] as const).filter((m) => records.some((record) => presenceOf(record)[m]));

const floatsOf = (bytes: Uint8Array) => Float32Array.from(bytes, (x) => x / 255);

const pictureOf = ({ picture }: OwnRecord): Picture | null =>
  picture && { channels: 3, width: picture.size, height: picture.size, data: floatsOf(picture.rgb) };

/** @throws Error where it holds what is no finite number, as a sound in floats may: a network would learn nothing more of it. */
export function recordOf(id: string, label: number | null, { picture, sound, text }: UserInput): OwnRecord {
  if (![picture?.data, sound?.samples].every((numbers) => numbers?.every(Number.isFinite) ?? true))
    throw new Error("the example holds what is no finite number.");
  return {
    id,
    label,
    picture: picture
      ? {
          size: picture.width,
          rgb: Uint8Array.from(picture.data, (x) => Math.round(255 * Math.min(1, Math.max(0, x)))),
        }
      : null,
    sound: sound ?? null,
    text: text?.trim() ?? "",
  };
}

export const listed = (record: OwnRecord, held: ReadonlySet<string>): OwnExample => ({
  id: record.id,
  label: record.label,
  heldOut: held.has(record.id),
  picture: pictureOf(record),
  text: record.text,
  seconds: record.sound ? record.sound.samples.length / record.sound.rate : 0,
});
