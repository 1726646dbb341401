import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** A file of the site, with its address. */
export interface SiteFile {
  readonly file: string;
  readonly size: number;
  readonly type: string;
}

const types: ReadonlyMap<string, string> = new Map([
  ["html", "text/html; charset=utf-8"],
  ["js", "text/javascript; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["json", "application/json; charset=utf-8"],
  ["webmanifest", "application/manifest+json; charset=utf-8"],
  ["svg", "image/svg+xml"],
  ["png", "image/png"],
  ["txt", "text/plain; charset=utf-8"],
  ["gz", "application/gzip"],
]);

/**
 * The files of a folder by their addresses (`/data/clips.json`; `/` for `/index.html`). Only these are given to anyone: no
 * path is ever put together from a request. Links, and names that begin with a dot or an underscore, are left out.
 */
export function siteFiles(folder: string): Map<string, SiteFile> {
  const found = new Map<string, SiteFile>();
  const look = (within: string, address: string) => {
    for (const entry of readdirSync(within, { withFileTypes: true })) {
      if (/^[._]/.test(entry.name)) continue;
      const file = join(within, entry.name);
      if (entry.isDirectory()) look(file, `${address}${entry.name}/`);
      if (!entry.isFile()) continue;
      const type = types.get(entry.name.split(".").at(-1)!) ?? "application/octet-stream";
      const served = { file, size: statSync(file).size, type };
      found.set(`${address}${entry.name}`, served);
      if (entry.name === "index.html") found.set(address, served);
    }
  };
  look(folder, "/");
  return found;
}

/**
 * The first and last byte that a Range header asks for: undefined where all is to be sent, as also for several ranges and for
 * what is not understood (RFC 9110, 14.2); null where nothing of it is there.
 */
export function rangeOf(header: string | undefined, size: number): readonly [number, number] | undefined | null {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  if (from === "") return Number(to) === 0 || size === 0 ? null : [Math.max(0, size - Number(to)), size - 1];
  if (to !== "" && Number(to) < Number(from)) return undefined;
  if (Number(from) >= size) return null;
  return [Number(from), to === "" ? size - 1 : Math.min(Number(to), size - 1)];
}
