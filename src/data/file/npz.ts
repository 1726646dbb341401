import { decodeNpy, encodeNpy, type NpyArray } from "./npy.ts";
import { type UnzipOptions, unzip, zip } from "./zip.ts";

/** The arrays of an .npz file (numpy's `savez`, `savez_compressed`) by name. Needs the package `fflate`. */
export async function decodeNpz(
  bytes: Uint8Array,
  name = "arrays",
  options: UnzipOptions = {},
): Promise<Map<string, NpyArray>> {
  const files = await unzip(bytes, name, options);
  return new Map(
    [...files].map(([file, content]) => [file.replace(/\.npy$/, ""), decodeNpy(content, `${name}: ${file}`)]),
  );
}

/** Bytes that numpy's `load` reads as an .npz file. Needs the package `fflate`. */
export async function encodeNpz(
  arrays: Readonly<Record<string, NpyArray>>,
  options: { compress?: boolean } = {},
): Promise<Uint8Array> {
  return zip(new Map(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(array)])), options);
}
