import { createEngine } from "../src/index.ts";
import { type Bed, bedOf } from "./bed.ts";

/* What runs in the page of `npm run bench:browser`. */

let bed: Bed;
Object.assign(globalThis, {
  async openBed() {
    bed = await bedOf(await createEngine({ seed: 1 }));
    const { adapter, peak, count } = bed;
    return { adapter, peak, count };
  },
  measureCase: (...args: Parameters<Bed["measure"]>) => bed.measure(...args),
  measureScaling: (repeats: number) => bed.scaling(repeats, () => {}),
  profileStep: () => bed.profile(),
});
