import fc from "fast-check";

/*
 * The default run draws the same examples each time, so that it passes or fails by what was changed. The longer forms
 * (`npm run properties`, `npm run fuzz`) draw new ones, and say the seed of what fails.
 */
const longer = process.env.HANDGRAD_SEQUENCES !== undefined || process.env.FUZZ_RUNS !== undefined;
if (!longer) fc.configureGlobal({ seed: 1 });
