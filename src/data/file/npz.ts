import { checkArray, checkOptions, describe, isPlainObject } from "../../check.ts";
import { DataError } from "../errors.ts";
import { decodeNpy, encodeNpy, type NpyArray } from "./npy.ts";
import { type UnzipOptions, unzip, zip } from "./zip.ts";

/**
 * Decodes numpy's .npz format (`savez`, `savez_compressed`): the files whose name ends with ".npy". Others (folders, macOS's
 * `__MACOSX/._x.npy`, notes) are left out. Needs the package `fflate`.
 *
 * @param bytes of the archive.
 * @param name of the archive, for errors. Default "arrays".
 * @param options.maxBytes that may come out of it. Default 2^31.
 * @returns arrays by name.
 * @throws DataError naming the archive and the fault.
 * @example const images = (await decodeNpz(bytes)).get("images");
 */
export async function decodeNpz(
  bytes: Uint8Array,
  name = "arrays",
  options: UnzipOptions = {},
): Promise<Map<string, NpyArray>> {
  checkArray("decodeNpz", "bytes", bytes, "Uint8Array");
  const others: string[] = [];
  const files = await unzip(bytes, name, options, (file) => {
    if (!isArray(file)) others.push(file);
    return isArray(file);
  });
  const arrays = new Map<string, NpyArray>();
  if (files.size === 0 && others.length > 0)
    throw new DataError(
      `${name}: no .npz file: none of what it holds is an .npy array: ${others.slice(0, 5).join(", ")}.`,
    );
  for (const [file, content] of files) arrays.set(file.slice(0, -4), decodeNpy(content, `${name}: ${file}`));
  return arrays;
}

/** An array, and not what a Mac keeps beside a file of that name. */
function isArray(file: string): boolean {
  const parts = file.split("/");
  return file.endsWith(".npy") && parts[0] !== "__MACOSX" && !parts.at(-1)!.startsWith("._");
}

/** How `encodeNpz` writes. */
export interface NpzOptions {
  /** Whether arrays are compressed, as by `savez_compressed`. Default false. */
  readonly compress?: boolean;
}

/**
 * Encodes arrays as numpy's .npz format, for `numpy.load`. Needs the package `fflate`.
 *
 * @param arrays by name.
 * @param options.compress as `savez_compressed`. Default false.
 * @returns the bytes of the archive; the same arrays give the same bytes.
 * @throws DataError where an array or its name cannot be written.
 * @example await writeFile("data.npz", await encodeNpz({ labels: { shape: [2], data: Int32Array.of(7, 0) } }));
 */
export async function encodeNpz(
  arrays: Readonly<Record<string, NpyArray>>,
  options: NpzOptions = {},
): Promise<Uint8Array> {
  checkOptions<NpzOptions>("encodeNpz", options, { compress: true });
  if (!isPlainObject(arrays))
    throw new TypeError(`encodeNpz: arrays is ${describe(arrays)}, expected an object of arrays by name.`);
  const unread = Object.keys(arrays).find((name) => !isArray(`${name}.npy`));
  if (unread !== undefined)
    throw new DataError(`encodeNpz: "${unread}" is a name that a Mac gives to what is no array`);
  return zip(new Map(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(array)])), options);
}
