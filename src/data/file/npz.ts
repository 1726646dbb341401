import { checkOptions } from "../../check.ts";
import { DataError } from "../errors.ts";
import { decodeNpy, encodeNpy, type NpyArray } from "./npy.ts";
import { type UnzipOptions, unzip, zip } from "./zip.ts";

/**
 * The arrays of an .npz file (numpy's `savez`, `savez_compressed`) by name: those whose name ends with ".npy". What else
 * an archive gets on its way (folders, a Mac's `__MACOSX/._x.npy`, notes) is left out.
 *
 * Needs the package `fflate`.
 *
 * @throws DataError naming the archive and the fault, or that there is no array in it.
 */
export async function decodeNpz(
  bytes: Uint8Array,
  name = "arrays",
  options: UnzipOptions = {},
): Promise<Map<string, NpyArray>> {
  const files = await unzip(bytes, name, options, isArray);
  const arrays = new Map<string, NpyArray>();
  for (const [file, content] of files) arrays.set(file.slice(0, -4), decodeNpy(content, `${name}: ${file}`));
  return arrays;
}

/** An array, and not what a Mac keeps beside a file of that name. */
function isArray(file: string): boolean {
  const parts = file.split("/");
  return file.endsWith(".npy") && parts[0] !== "__MACOSX" && !parts.at(-1)!.startsWith("._");
}

/** Bytes that numpy's `load` reads as an .npz file. Needs the package `fflate`. */
export async function encodeNpz(
  arrays: Readonly<Record<string, NpyArray>>,
  options: { compress?: boolean } = {},
): Promise<Uint8Array> {
  checkOptions<{ compress?: boolean }>("encodeNpz", options, { compress: true });
  const unread = Object.keys(arrays).find((name) => !isArray(`${name}.npy`));
  if (unread !== undefined)
    throw new DataError(`encodeNpz: "${unread}" is a name that a Mac gives to what is no array`);
  return zip(new Map(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(array)])), options);
}
