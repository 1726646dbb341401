import { Command } from "commander";
import {
  cropCenter,
  DataError,
  decodeWav,
  grayscale,
  type Image,
  mono,
  resample,
  rescale,
  resize,
} from "handgrad/data";
import type { Modality } from "handgrad/model";
import { decodeImage } from "handgrad/node";
import { optimisticArgmax, sharesOf } from "handgrad/rl";
import { type TriDigit, triDigitsShape } from "../tridigits/tridigits.ts";
import { barOf } from "./interview.ts";
import { percent, say } from "./progress.ts";
import { readFile } from "./read-file.ts";
import { filePath, UsageError } from "./settings.ts";
import { openTrained } from "./trained.ts";

/* handgrad answer RUN --image FILE --sound FILE --hint TEXT: what the model of a run makes of something of one's own. */

interface Options {
  image?: string;
  sound?: string;
  hint?: string;
  software?: boolean;
  json?: boolean;
}

export const answerCommand = (): Command =>
  new Command("answer")
    .description("which digit a picture, a sound and a hint of your own are, by the model of a run")
    .argument("<run>", "the folder of a run that is done", filePath("the run"))
    .option(
      "--image <file>",
      "PNG or JPEG of one digit, drawn large, dark on light or light on dark",
      filePath("--image"),
    )
    .option("--sound <file>", "WAV of one spoken digit, at its beginning", filePath("--sound"))
    .option("--hint <text>", "a few words")
    .option("--software", "compute on the CPU even where there is a GPU")
    .option("--json", "print one JSON object instead of the digit")
    .action(answer);

async function answer(path: string, options: Options): Promise<void> {
  const { image, sound, hint, software = false, json = false } = options;
  const given: Modality[] = [];
  if (image !== undefined) given.push("image");
  if (hint !== undefined) given.push("text");
  if (sound !== undefined) given.push("audio");
  if (given.length === 0) throw new UsageError("there is nothing to answer. Give --image, --sound or --hint.");
  const prepared = {
    ...(image === undefined ? {} : { image: inkOf(await decodeImage(readFile(image), image)) }),
    ...(sound === undefined ? {} : { wave: waveOf(readFile(sound), sound) }),
    ...(hint === undefined ? {} : { hint }),
  };
  const { engine, data, agent } = await openTrained(path, { software });
  try {
    const example = data.example({ id: "own", ...prepared }) as TriDigit;
    const learner = agent();
    const predict = async (modalities: readonly Modality[]) => (await learner.predict([example], { modalities }))[0]!;
    const probabilities = await predict(given);
    const digit = optimisticArgmax(probabilities);
    const { shares } = await sharesOf(given, async (there) => (await predict(there))[digit]!);
    if (json) return console.log(JSON.stringify({ answer: digit, probabilities, shares }));
    for (const [i, p] of probabilities.entries()) say(barOf(p, i, digit));
    for (const m of given) say(`${m} adds ${percent(shares[m])}`);
    // As text: a number would be colored where the environment forces colors.
    console.log(String(digit));
  } finally {
    engine.destroy();
  }
}

/** As the pictures of the set: 28 × 28, bright ink on black. A picture that is bright at its edge is of dark ink. */
function inkOf(picture: Image): Float32Array {
  const side = Math.min(picture.width, picture.height);
  const [, height, width] = triDigitsShape.image;
  const { data } = rescale(resize(cropCenter(grayscale(picture), side, side), width, height));
  const edge = data.filter(
    (_, i) => i < width || i >= data.length - width || i % width === 0 || i % width === width - 1,
  );
  const isDarkInk = edge.reduce((sum, x) => sum + x, 0) / edge.length > 0.5;
  return isDarkInk ? data.map((x) => 1 - x) : data;
}

function waveOf(wav: Uint8Array, name: string): Float32Array {
  const sound = decodeWav(wav, name);
  const wave = heard(name, () => resample(mono(sound), sound.sampleRate, triDigitsShape.rate));
  if (wave.length === 0) throw new DataError(`${name} is empty: there is nothing to hear.`);
  return wave;
}

/** What a file's own rate and length make impossible is a fault of the file. */
function heard<T>(name: string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    if (error instanceof RangeError) throw new DataError(`${name}: ${error.message}`);
    throw error;
  }
}
