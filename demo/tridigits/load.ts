import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { DataError } from "handgrad/data";
import { TriDigits } from "./tridigits.ts";

/** The demo's data, which comes with the package: looked for from this file upwards, in source and in the build. */
function dataFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const data = join(folder, "demo/data/tridigits");
    if (existsSync(data)) return data;
    if (folder === dirname(folder))
      throw new DataError("the folder demo/data/tridigits is missing. Install handgrad again.");
  }
}

/** @throws DataError naming the file that is missing or damaged. */
export function loadTriDigits(folder: string = dataFolder()): TriDigits {
  const read = <T>(name: string, decode: (bytes: Buffer) => T): T => {
    const path = join(folder, name);
    let bytes: Buffer;
    try {
      bytes = readFileSync(path);
    } catch {
      throw new DataError(`${path} is missing. It comes with the package; restore it or install handgrad again.`);
    }
    try {
      return decode(bytes);
    } catch (error) {
      throw new DataError(
        `${path} is damaged or cut off (${(error as Error).message}). Restore it or install handgrad again.`,
      );
    }
  };
  const json = (bytes: Buffer): unknown => JSON.parse(bytes.toString("utf8"));
  try {
    return new TriDigits({
      images: read("images.u8.gz", (bytes) => gunzipSync(bytes)),
      labels: read("labels.u8.gz", (bytes) => gunzipSync(bytes)),
      clips: read("clips.ulaw", (bytes) => bytes),
      clipsIndex: read("clips.json", json),
      hints: read("hints.json", json),
    });
  } catch (error) {
    if (error instanceof DataError && !error.message.startsWith(folder))
      throw new DataError(`${folder}: ${error.message}`);
    throw error;
  }
}
