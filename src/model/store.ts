import { replaceFile } from "../replace-file.ts";

/** Where files of a run are kept: a folder, a browser's database. */
export interface Store {
  /** Undefined where there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces the file in one go: whoever is stopped in the middle leaves the old one. */
  write(name: string, content: Uint8Array): Promise<void>;
}

/**
 * Keeps a run's files in a folder (Node), created with the first file.
 *
 * @param path of the folder.
 * @returns the store; files are replaced atomically.
 * @example await fit(net, trainSet, { optimizer, epochs: 10, checkpoint: folderStore("run") });
 */
export function folderStore(path: string): Store {
  return {
    async read(name) {
      const { readFile } = await import("node:fs/promises");
      try {
        return await readFile(`${path}/${name}`);
      } catch (error) {
        if ((error as { code?: string }).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(name, content) {
      const { mkdir } = await import("node:fs/promises");
      await mkdir(path, { recursive: true });
      await replaceFile(`${path}/${name}`, content);
    },
  };
}
