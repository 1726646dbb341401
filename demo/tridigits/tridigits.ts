import { checkName, checkNumber, number } from "handgrad/check";
import { DataError, decodeMuLaw, type Example, imageFromBytes, LogMel, Random, Tokenizer } from "handgrad/data";
import { addImageNoise, addSoundNoise, changeSpeed, dropOut, hideBand } from "./corrupt.ts";

/*
 * TriDigits: a digit as a handwritten picture, a spoken word and a written hint. Its README gives the protocol that is
 * followed here: which pictures and voices belong to which set, and how an example is drawn from them and degraded.
 */

export const setNames = ["start", "stream", "validation", "test-seen", "test-unseen", "full"] as const;
export type SetName = (typeof setNames)[number];

/** Voices: synthetic ones, real people that are heard while judging ("seen"), and others ("unseen") that are heard in the test alone. */
type Voices = "synthetic" | "seen" | "unseen";

/**
 * Pictures of each class, from the first on and before the last; and whose voices. `drawn`: the name that its examples are
 * drawn and called by, where that is not its own: a set that was called otherwise once stays what it was, and so do the logs about it.
 */
const sets: Readonly<Record<SetName, { first: number; last: number; voices: readonly Voices[]; drawn?: string }>> = {
  start: { first: 0, last: 30, voices: ["synthetic"] },
  stream: { first: 30, last: 600, voices: ["seen"] },
  validation: { first: 600, last: 700, voices: ["seen"] },
  "test-seen": { first: 700, last: 850, voices: ["seen"], drawn: "test-met" },
  "test-unseen": { first: 700, last: 850, voices: ["unseen"], drawn: "test-strangers" },
  full: { first: 0, last: 600, voices: ["synthetic", "seen"] },
};

const SIDE = 28;
const RATE = 8000;
const WORDS = 8;
const FRAMES = 50;
const BANDS = 32;
/** Sizes of an example's arrays. */
export const triDigitsShape = {
  image: [1, SIDE, SIDE],
  words: WORDS,
  frames: FRAMES,
  bands: BANDS,
  classes: 10,
  rate: RATE,
} as const;

const features = new LogMel({
  sampleRate: RATE,
  window: 256,
  hop: 160,
  bands: BANDS,
  low: 60,
  high: 3800,
  floor: 1e-4,
  maxFrames: FRAMES,
});
const languages = ["en", "es", "fr", "it", "ru"];

export interface Clip {
  id: string;
  digit: number;
  language: string;
  speaker: string;
  kind: "synthetic" | "human";
  split: "train" | "validation" | "test";
  offset: number;
  length: number;
}

/** One digit, as the network meets it; its id is such as "stream/3/421": set, digit, place among the digit's pictures. */
export interface TriDigit extends Example {
  readonly hint: string;
  readonly speaker: string;
  readonly language: string;
  /** The sound as it was heard, 8,000 samples a second, from -1 to 1. */
  wave(): Float32Array;
  /** The picture before a band of it was hidden and noise was added. */
  clean(): Float32Array;
}

export interface TriDigitsFiles {
  images: Uint8Array;
  labels: Uint8Array;
  clips: Uint8Array;
  clipsIndex: unknown;
  hints: unknown;
}

/** A set: its examples are made when they are first asked for. */
export class TriDigitSet {
  readonly #cache = new Map<number, TriDigit>();
  constructor(
    readonly name: SetName,
    readonly places: readonly { label: number; index: number }[],
    readonly make: (label: number, index: number) => TriDigit,
  ) {}

  get length(): number {
    return this.places.length;
  }

  /** The id of the i-th example, which need not be made for it. */
  idAt(i: number): string {
    const { label, index } = this.places[i]!;
    return `${this.name}/${label}/${index}`;
  }

  at(i: number): TriDigit {
    const place = this.places[i];
    if (!place) throw new RangeError(`${this.name}: there is no example ${i}, it has ${this.length}.`);
    let example = this.#cache.get(i);
    if (!example) {
      example = this.make(place.label, place.index);
      this.#cache.set(i, example);
    }
    return example;
  }

  *[Symbol.iterator](): Generator<TriDigit> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }
}

/** @throws DataError naming the file that is cut off or not what it should be. */
export class TriDigits {
  readonly tokenizer: Tokenizer;
  readonly #files: TriDigitsFiles;
  readonly #firstImage: number[] = [];
  readonly #sets = new Map<string, TriDigitSet>();
  readonly #clips: readonly Clip[];
  readonly #hints: readonly { text: string; digits: readonly number[] }[];

  constructor(files: TriDigitsFiles) {
    this.#files = files;
    const { images, labels, clips } = files;
    if (labels.length === 0 || images.length !== labels.length * SIDE * SIDE) {
      throw new DataError(
        `images.u8.gz holds ${images.length} bytes, expected ${labels.length * SIDE * SIDE} for the ${labels.length} labels of labels.u8.gz.`,
      );
    }
    for (let digit = 0; digit < 10; digit++) {
      const first = labels.indexOf(digit);
      const last = labels.lastIndexOf(digit);
      if (first < 0 || last - first + 1 < 850)
        throw new DataError(
          `labels.u8.gz: digit ${digit} has ${first < 0 ? 0 : last - first + 1} pictures in a row, expected at least 850.`,
        );
      this.#firstImage.push(first);
    }
    const index = files.clipsIndex as { clips?: Clip[] };
    if (!Array.isArray(index?.clips)) throw new DataError("clips.json has no list of clips.");
    const outside = index.clips.find((clip) => !(clip.offset >= 0 && clip.offset + clip.length <= clips.length));
    if (outside)
      throw new DataError(
        `clips.ulaw holds ${clips.length} bytes, but clip ${outside.id} lies at ${outside.offset} … ${outside.offset + outside.length}: the file is cut off.`,
      );
    this.#clips = index.clips.filter((clip) => languages.includes(clip.language));
    const hints = files.hints as {
      vocabulary?: string[];
      templates?: { instances: { text: string; digits: number[] }[] }[];
    };
    if (!Array.isArray(hints?.vocabulary) || !Array.isArray(hints.templates))
      throw new DataError("hints.json has no vocabulary or no templates.");
    this.tokenizer = new Tokenizer(hints.vocabulary);
    this.#hints = hints.templates.flatMap((template) => template.instances);
  }

  /**
   * A set, drawn by its seed.
   *
   * @param limit how many examples at most, as equally many of each class as can be. Default: all.
   */
  set(name: SetName, seed: number, limit = Number.POSITIVE_INFINITY): TriDigitSet {
    checkName("TriDigits.set", "name", name, setNames);
    checkNumber("TriDigits.set", "seed", seed, number.finite);
    if (limit !== Number.POSITIVE_INFINITY) checkNumber("TriDigits.set", "limit", limit, number.wholeAtLeast0);
    // The same set again is the same object: making its examples is most of what it costs.
    const key = `${name} ${seed} ${limit}`;
    const made = this.#sets.get(key);
    if (made) return made;
    const { first, last } = sets[name];
    const places: { label: number; index: number }[] = [];
    // Class by class within each index, so that a cut leaves the classes equal.
    for (let index = first; index < last; index++) {
      for (let label = 0; label < 10 && places.length < limit; label++) places.push({ label, index });
    }
    const set = new TriDigitSet(name, places, (label, index) => this.#example(name, seed, label, index));
    this.#sets.set(key, set);
    return set;
  }

  /**
   * An example of one's own, prepared as those of the sets are.
   *
   * @param given.image [28 · 28], row-major, 0 to 1, bright ink on black. Missing parts are zeros: leave them out of sight.
   * @param given.wave 8,000 samples a second; of more than a second the beginning counts.
   */
  example(given: { id: string; label?: number; image?: Float32Array; wave?: Float32Array; hint?: string }): Example {
    const { id, label = 0, image = new Float32Array(SIDE * SIDE), wave, hint = "" } = given;
    if (image.length !== SIDE * SIDE)
      throw new DataError(`example ${id}: the image has ${image.length} numbers, expected ${SIDE * SIDE}.`);
    const audio = new Float32Array(FRAMES * BANDS);
    const frames = wave ? features.of(wave, audio).frames : 1;
    return { id, label, image, words: this.tokenizer.encode(hint, WORDS), audio, frames };
  }

  /** The clips that a set draws from. */
  clipsOf(name: SetName): readonly Clip[][] {
    return sets[name].voices.map((voices) => this.#clips.filter((clip) => voicesOf(clip) === voices));
  }

  #example(name: SetName, seed: number, label: number, index: number): TriDigit {
    const drawn = sets[name].drawn ?? name;
    const random = new Random("tridigits", seed, drawn, label, index);
    const image = this.#image(label, index, random);
    const groups = this.clipsOfDigit(name, label);
    const clip = random.choice(random.choice(groups));
    const degrade = random.state();
    const wave = () => {
      const own = new Random();
      own.restore(degrade);
      const clean = decodeMuLaw(this.#files.clips.subarray(clip.offset, clip.offset + clip.length));
      const sound = changeSpeed(clean, 0.87 + 0.28 * own.uniform());
      return dropOut(addSoundNoise(sound, own, -5 + 15 * own.uniform()), own, 0.3);
    };
    const words = new Random("tridigits", seed, drawn, label, index, "hint");
    const hint =
      words.uniform() < 0.2 ? "" : words.choice(this.#hints.filter(({ digits }) => digits.includes(label))).text;
    return {
      ...this.example({ id: `${drawn}/${label}/${index}`, label, image, wave: wave(), hint }),
      hint,
      speaker: clip.speaker,
      language: clip.language,
      wave,
      clean: () => this.picture(label, index),
    };
  }

  readonly #byDigit = new Map<string, Clip[][]>();
  clipsOfDigit(name: SetName, digit: number): Clip[][] {
    const key = `${name}/${digit}`;
    let found = this.#byDigit.get(key);
    if (!found) {
      found = this.clipsOf(name).map((clips) => clips.filter((clip) => clip.digit === digit));
      this.#byDigit.set(key, found);
    }
    return found;
  }

  /** The index-th picture of a digit, as it was before examples of it were spoilt: row-major, 0 to 1. */
  picture(label: number, index: number): Float32Array {
    const at = (this.#firstImage[label]! + index) * SIDE * SIDE;
    return imageFromBytes(this.#files.images.subarray(at, at + SIDE * SIDE));
  }

  #image(label: number, index: number, random: Random): Float32Array {
    return addImageNoise(hideBand(this.picture(label, index), random, 9, 5, 13), random, 0.25);
  }
}

function voicesOf({ kind, split }: Clip): Voices {
  if (kind === "synthetic") return "synthetic";
  return split === "test" ? "unseen" : "seen";
}
