/** Where files of a run are kept: a folder, a browser's database. */
export interface Store {
  /** Undefined where there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Replaces the file in one go: whoever is stopped in the middle leaves the old one. */
  write(name: string, content: Uint8Array): Promise<void>;
}
