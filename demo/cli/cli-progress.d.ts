/** The part of cli-progress that is used here; the package has no types of its own. */
declare module "cli-progress" {
  export interface Options {
    format: string;
    hideCursor: boolean;
    etaBuffer: number;
    stream: NodeJS.WritableStream;
  }
  export const Presets: { readonly rect: unknown };
  export class SingleBar {
    constructor(options: Options, preset: unknown);
    start(total: number, value: number, payload: Record<string, string>): void;
    update(value: number, payload: Record<string, string>): void;
    stop(): void;
  }
}
