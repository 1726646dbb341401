import { createEngine } from "handgrad";
import { type Runner, runnerOf } from "./runner.ts";

/* What runs in the page of `npm run bench:browser`. */

let runner: Runner;
Object.assign(globalThis, {
  async openBed() {
    runner = await runnerOf(await createEngine({ seed: 1 }));
    const { adapter, peak, count } = runner;
    return { adapter, peak, count };
  },
  measureCase: (...args: Parameters<Runner["measure"]>) => runner.measure(...args),
  measureScaling: (repeats: number) => runner.scaling(repeats, () => {}),
  profileStep: () => runner.profile(),
});
