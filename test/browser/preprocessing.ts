import { decodeImageInBrowser, decodeNpz, encodeNpz, type Image } from "../../src/data/index.ts";

/* What the browser test calls: decoding as in a browser, and .npz by the bundled fflate. */

const functions = {
  async decode(bytes: number[], name: string): Promise<(Omit<Image, "data"> & { data: number[] }) | string> {
    try {
      const image = await decodeImageInBrowser(Uint8Array.from(bytes), name);
      return { ...image, data: [...image.data] };
    } catch (error) {
      return String(error);
    }
  },
  async npz(values: number[]): Promise<number[]> {
    const bytes = await encodeNpz(
      { x: { shape: [values.length], data: Float32Array.from(values) } },
      { compress: true },
    );
    return [...((await decodeNpz(bytes)).get("x")!.data as Float32Array)];
  },
};
Object.assign(globalThis, functions);
