import { createEngine } from "../../src/index.ts";
import { type Bed, bedOf } from "./bed.ts";
import { startCounting } from "./count.ts";
import { handgrad } from "./handgrad.ts";
import { jax } from "./jax.ts";
import { tfjs } from "./tfjs.ts";

/* What runs in the page of `npm run bench:peers -- --browser`. */

let bed: Bed;
Object.assign(globalThis, {
  async openBed(versions: { handgrad: string; jax: string }, wanted: readonly string[]) {
    startCounting();
    const engine = await createEngine({ seed: 1 });
    bed = await bedOf(
      engine,
      handgrad(engine, versions.handgrad),
      [
        ["jax-js-webgpu", () => jax(versions.jax)],
        ["tfjs-webgpu", () => tfjs()],
      ],
      wanted,
    );
    const { engines, leftOut } = bed;
    return { engines, leftOut, workloads: bed.workloads.map(({ op, shape }) => ({ op, shape })) };
  },
  measureWorkload: (...args: Parameters<Bed["measure"]>) => bed.measure(...args),
});
