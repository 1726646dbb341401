import { createEngine } from "handgrad";
import { startCounting } from "./count.ts";
import { handgrad } from "./handgrad.ts";
import { jax } from "./jax.ts";
import { type Runner, runnerOf } from "./runner.ts";
import { tfjs } from "./tfjs.ts";

/* What runs in the page of `npm run bench:peers -- --browser`. */

let runner: Runner;
Object.assign(globalThis, {
  async openBed(versions: { handgrad: string; jax: string }, wanted: readonly string[]) {
    startCounting();
    const engine = await createEngine({ seed: 1 });
    runner = await runnerOf(
      engine,
      handgrad(engine, versions.handgrad),
      [
        ["jax-js-webgpu", () => jax(versions.jax)],
        ["tfjs-webgpu", () => tfjs()],
      ],
      wanted,
    );
    const { engines, leftOut } = runner;
    return { engines, leftOut, workloads: runner.workloads.map(({ op, shape }) => ({ op, shape })) };
  },
  measureWorkload: (...args: Parameters<Runner["measure"]>) => runner.measure(...args),
});
