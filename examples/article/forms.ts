/** Sizes of a run. What the forms have in common is in the program. */
export interface Form {
  /** Height and width of the picture, of three channels. */
  side: number;
  /** Channels of the convolutions, each followed by ReLU and a pooling that halves the picture. */
  channels: readonly number[];
  /** Samples from one frame of sound to the next, of 44,100 a second, and mel bands of a frame. */
  hop: number;
  bands: number;
  /** Labeled examples, examples of the validation split and of the test. */
  training: number;
  validation: number;
  test: number;
  epochs: number;
  judgements: number;
}

/** The article's own sizes. */
const full: Form = {
  side: 224,
  channels: [8, 16, 32, 32, 64],
  hop: 441,
  bands: 40,
  training: 5000,
  validation: 500,
  test: 1500,
  epochs: 4,
  judgements: 300,
};

/** A quarter of the side, half the frames: what a software device of two cores does in minutes. */
const reduced: Form = {
  side: 56,
  channels: [8, 16, 32],
  hop: 882,
  bands: 32,
  training: 5000,
  validation: 400,
  test: 1000,
  epochs: 4,
  judgements: 300,
};

/** So small that it learns next to nothing: whether the program runs. */
const tiny: Form = {
  side: 28,
  channels: [4],
  hop: 4410,
  bands: 16,
  training: 64,
  validation: 20,
  test: 40,
  epochs: 1,
  judgements: 10,
};

export const forms = { full, reduced, tiny };
export type FormName = keyof typeof forms;

/** How a form differs from the article's sizes, in words; nothing for the full one. */
export function differences(form: Form): string[] {
  const names: Record<keyof Form, string> = {
    side: "side of the picture",
    channels: "channels of the convolutions",
    hop: "samples between two frames of sound",
    bands: "mel bands",
    training: "labeled examples",
    validation: "validation examples",
    test: "test examples",
    epochs: "epochs at most",
    judgements: "judgements",
  };
  return (Object.keys(names) as (keyof Form)[])
    .filter((key) => String(form[key]) !== String(full[key]))
    .map((key) => `${names[key]}: ${form[key]} instead of ${full[key]}`);
}
