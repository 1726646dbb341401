import { channelsFirst, createImage, LogMel, padSequences, resample, resize, Tokenizer } from "handgrad/data";
import type { LabeledBatch } from "handgrad/model";
import { type TriDigit, type TriDigitSet, triDigitsShape } from "../../demo/tridigits/tridigits.ts";
import type { Form } from "./forms.ts";

/** The article's: 100 tokens of a vocabulary of 10,000, and one second of sound at 44,100 samples a second. */
const TOKENS = 100;
export const VOCABULARY = 10_000;
const RATE = 44_100;

/** A digit as the article's network takes it; the picture is enlarged when its batch is made. */
export interface Prepared {
  id: string;
  /** 1 where the digit is five or more. */
  label: number;
  ink: Float32Array;
  words: Int32Array;
  audio: Float32Array;
  frames: number;
}

export interface PreparedSet {
  readonly length: number;
  at(i: number): Prepared;
}

/** TriDigits → the article's inputs: pictures as RGB of its size, hints as padded ids, sound as log-mel frames. */
export class Preparation {
  readonly #form: Form;
  readonly #tokenizer: Tokenizer;
  readonly #mel: LogMel;

  /** @param hints of the training examples: the words the network will know. */
  constructor(form: Form, hints: Iterable<string>) {
    this.#form = form;
    this.#tokenizer = Tokenizer.fit(hints, { numWords: VOCABULARY, outOfVocabulary: "<unknown>" });
    // The recordings are of 8,000 samples a second: there is nothing above 4,000 Hz.
    const { hop, bands } = form;
    const sizes = { sampleRate: RATE, window: 1411, fft: 2048, hop, bands, low: 60, high: 3800 };
    this.#mel = new LogMel({ ...sizes, maxFrames: this.#framesOf(hop) });
  }

  /** Frames of one second of sound. */
  get frames(): number {
    return this.#framesOf(this.#form.hop);
  }

  #framesOf(hop: number): number {
    return 1 + Math.floor((RATE - 2048) / hop);
  }

  /** Some examples of a set, each prepared once, when it is first asked for. */
  set(set: TriDigitSet, indices: readonly number[] = Array.from({ length: set.length }, (_, i) => i)): PreparedSet {
    const made = new Map<number, Prepared>();
    return {
      length: indices.length,
      at: (i) => {
        const found = made.get(i) ?? this.#prepare(set.at(indices[i]!));
        made.set(i, found);
        return found;
      },
    };
  }

  #prepare(digit: TriDigit): Prepared {
    const second = new Float32Array(RATE);
    second.set(resample(digit.wave(), triDigitsShape.rate, RATE).subarray(0, RATE));
    const audio = new Float32Array(this.frames * this.#form.bands);
    const { frames } = this.#mel.of(second, audio);
    const words = padSequences(this.#tokenizer.transform([digit.hint]), { maxLen: TOKENS, padding: "post" }).data;
    return { id: digit.id, label: digit.label >= 5 ? 1 : 0, ink: digit.image, words, audio, frames };
  }

  /** Examples side by side: image [N, 3, side, side], words [N, 100], audio [N, T, bands], label [N]. */
  readonly batchOf = (examples: readonly Prepared[]): LabeledBatch => {
    const { side, bands } = this.#form;
    const N = examples.length;
    const image = new Float32Array(N * 3 * side * side);
    const words = new Int32Array(N * TOKENS);
    const audio = new Float32Array(N * this.frames * bands);
    examples.forEach((example, n) => {
      const gray = channelsFirst(resize(createImage(28, 28, 1, example.ink), side, side));
      for (let c = 0; c < 3; c++) image.set(gray, (3 * n + c) * side * side);
      words.set(example.words, n * TOKENS);
      audio.set(example.audio, n * this.frames * bands);
    });
    const frames = Int32Array.from(examples, (e) => e.frames);
    return { image, words, audio, frames, label: Int32Array.from(examples, (e) => e.label) };
  };
}
