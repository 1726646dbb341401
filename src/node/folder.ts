import { readFile, realpath, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { checkList, checkNumber, checkOptions, checkText, number } from "../check.ts";
import { decodeWav } from "../data/audio/decodeWav.ts";
import type { Sound } from "../data/audio/sound.ts";
import { DataError } from "../data/errors.ts";
import { classNames, expectFilled, parseCsv } from "../data/file/csv.ts";
import type { Image } from "../data/image/image.ts";
import { decodeImage } from "./decode-image.ts";

/** A line of a manifest. */
export interface FolderEntry {
  /** Path of the picture inside the folder, where there is one. */
  readonly image?: string;
  /** Path of the sound inside the folder, where there is one. */
  readonly audio?: string;
  /** The text itself, where there is one. */
  readonly text?: string;
  /** Place in `classes`. */
  readonly label: number;
}

/** An example as it was read. */
export interface FolderExample {
  /** The decoded picture, where there is one. */
  readonly image?: Image;
  /** The decoded sound, where there is one. */
  readonly sound?: Sound;
  /** The text, where there is one. */
  readonly text?: string;
  /** Place in `classes`. */
  readonly label: number;
}

/** A data set in a folder: `openFolder` opens it. */
export interface Folder {
  /** The names of the classes; a label is a place among them. */
  readonly classes: readonly string[];
  /** The lines of the manifest, in order. */
  readonly entries: readonly FolderEntry[];
  /** How many examples there are. */
  readonly length: number;
  /**
   * Reads and decodes one example.
   *
   * @param index from 0 to length − 1.
   * @returns the example.
   * @throws DataError naming the file and the fault.
   */
  read(index: number): Promise<FolderExample>;
}

/** Options of `openFolder`. */
export interface FolderOptions {
  /** The table inside the folder. Default "manifest.csv". */
  readonly manifest?: string;
  /** Names of the classes in their order. Default: all labels that occur, in the order of the alphabet. */
  readonly classes?: readonly string[];
  /** Bytes that a file may have. Default 2^28 (256 MB). */
  readonly maxBytes?: number;
}

/**
 * A folder of files with a manifest: a CSV table with a column `label` and one or more of `image` (PNG or JPEG),
 * `audio` (WAV) and `text` (the text itself). Paths are inside the folder. Only the manifest is read here; examples
 * are read one by one, such as by `streamBatches`.
 *
 * @param folder its path.
 * @param options.manifest the table inside the folder. Default "manifest.csv".
 * @param options.classes names of the classes in their order. Default: all labels that occur, in the order of the alphabet.
 * @returns the manifest's entries, and `read(i)`.
 * @throws DataError naming the manifest, the line and the fault.
 * @example
 * const folder = await openFolder("data/cats");
 * const { image, label } = await folder.read(0);
 */
export async function openFolder(folder: string, options: FolderOptions = {}): Promise<Folder> {
  checkOptions<FolderOptions>("openFolder", options, { manifest: true, classes: true, maxBytes: true });
  const { manifest = "manifest.csv", maxBytes = 2 ** 28 } = options;
  checkText("openFolder", "folder", folder);
  checkText("openFolder", "manifest", manifest);
  if (options.classes !== undefined) checkList("openFolder", "classes", options.classes, "a list of names");
  checkNumber("openFolder", "maxBytes", maxBytes, number.wholeAtLeast1);
  const name = join(folder, manifest);
  const rows = parseCsv((await readBounded(name, maxBytes)).toString("utf8"), name);
  const root = await realpath(dirname(name));
  const columns = Object.keys(rows[0] ?? {});
  if (!columns.includes("label") || !columns.some((column) => ["image", "audio", "text"].includes(column))) {
    throw new DataError(
      `${name}: expected a column "label" and one or more of "image", "audio" and "text", found ${rows.length} rows of ${columns.join(", ") || "no columns"}.`,
    );
  }
  const labels = rows.map((row) => row.label!);
  expectFilled(name, "label", labels);
  const classes = options.classes ?? classNames(labels);
  const entries = rows.map((row, i): FolderEntry => {
    if (!(row.image || row.audio || row.text))
      throw new DataError(`${name}, row ${i + 1}: has no image, no audio and no text, expected one at least.`);
    const label = classes.indexOf(row.label!);
    if (label < 0)
      throw new DataError(`${name}, row ${i + 1}: "${row.label}" is none of the classes ${classes.join(", ")}.`);
    for (const path of [row.image, row.audio]) {
      if (path && !resolve(root, path).startsWith(root + sep)) {
        throw new DataError(`${name}, row ${i + 1}: "${path}" lies outside of the folder.`);
      }
    }
    return {
      ...(row.image && { image: row.image }),
      ...(row.audio && { audio: row.audio }),
      ...(row.text !== undefined && { text: row.text }),
      label,
    };
  });
  return {
    classes,
    entries,
    length: entries.length,
    async read(index) {
      const entry = entries[index];
      if (!entry) throw new RangeError(`${name}: there is no example ${index}, it has ${entries.length}.`);
      const { image, audio, text, label } = entry;
      return {
        ...(image && {
          image: await decodeImage(await readBounded(join(root, image), maxBytes, root), join(folder, image)),
        }),
        ...(audio && { sound: decodeWav(await readBounded(join(root, audio), maxBytes, root), join(folder, audio)) }),
        ...(text !== undefined && { text }),
        label,
      };
    },
  };
}

/** @throws DataError if there is no such file, it is larger than allowed, or a link that leads out of the root. */
async function readBounded(path: string, maxBytes: number, root?: string): Promise<Buffer> {
  try {
    if (root && !(await realpath(path)).startsWith(root + sep))
      throw new DataError(`${path}: lies outside of the folder.`);
    const { size } = await stat(path);
    if (size > maxBytes)
      throw new DataError(`${path}: has ${size} bytes, more than the ${maxBytes} allowed (maxBytes).`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(`${path}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}
