import type { Page } from "../../scripts/chromium.ts";
import { emptyResult, type Result } from "./compare.ts";
import { isWanted, type Runner } from "./runner.ts";

/** What computes on the CPU outside of WebGPU, for which a page has no place. */
const outside = ["pytorch-cpu", "onnxruntime-cpu"];

/**
 * The engines in a page of `page.ts`, which `open` opens. A page where something went wrong may be gone, or its device may
 * be: the next workload gets a new one.
 */
export async function pageRunner(
  open: () => Promise<Page>,
  versions: { handgrad: string; jax: string },
  wanted: readonly string[],
): Promise<Runner> {
  let page: Page | undefined;
  const start = async () => {
    page = await open();
    return page.call<Pick<Runner, "engines" | "leftOut" | "workloads">>("openBed", versions, wanted);
  };
  const close = async () => {
    const last = page;
    page = undefined;
    for (const error of last?.errors ?? []) console.error(`the page: ${error}`);
    await last?.close().catch((error: Error) => console.error(`the page does not close: ${error.message}`));
  };
  const { engines, leftOut, workloads } = await start();
  return {
    engines,
    leftOut: [
      ...leftOut,
      ...outside.filter((name) => isWanted(name, wanted)).map((name) => `${name}: does not run in a page`),
    ],
    workloads,
    async measure(index, options) {
      let rows: Result[];
      try {
        if (!page) await start();
        rows = await page!.call<Result[]>("measureWorkload", index, options);
      } catch (error) {
        const [reason] = (error as Error).message.split("\n");
        rows = engines.map((about) => ({
          ...emptyResult(about, workloads[index]!),
          error: `the page gave no answer: ${reason!.trim()}`,
        }));
      }
      if (rows.some((row) => row.error)) await close();
      return rows;
    },
    close,
  };
}
